package resourcemanager

import "fleetwarden/deploy/local/simcloud/wire"

// AccountRequest names a member.
type AccountRequest struct{ AccountId string }

// AccountResponse is the response of GetAccount.
type AccountResponse struct{ Account AccountInfo }

// AccountInfo is a member as it is answered.
type AccountInfo struct {
	AccountId, DisplayName, FolderId, ResourceDirectoryId string
	ResourceDirectoryPath, Type, Status, JoinMethod       string
	JoinTime, ModifyTime                                  string
}

// GetAccount shows a member, to the management account. The management account
// itself is no member.
func (d *Directory) GetAccount(c *wire.Call, in *AccountRequest) (*AccountResponse, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := d.members.Get(in.AccountId)
	path := ""
	if m != nil && c.Caller.Account == d.master {
		path = d.pathOf(m.account)
	}
	if err := c.Allow("resourcemanager:GetAccount", arn(c, "account", path)); err != nil {
		return nil, err
	}
	if err := d.manage(c); err != nil {
		return nil, err
	}
	if m == nil {
		return nil, noAccount()
	}
	return &AccountResponse{d.info(m)}, nil
}

func (d *Directory) info(m *member) AccountInfo {
	return AccountInfo{
		AccountId: m.account, DisplayName: "account-" + m.account, FolderId: m.folder, ResourceDirectoryId: DirectoryID,
		ResourceDirectoryPath: d.pathOf(m.account), Type: "CloudAccount", Status: "InviteSuccess", JoinMethod: "invited",
		JoinTime: stamp(m.joined), ModifyTime: stamp(m.joined),
	}
}

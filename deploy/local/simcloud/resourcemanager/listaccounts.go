package resourcemanager

import "fleetwarden/deploy/local/simcloud/wire"

// ListAccountsRequest asks for a page of members; filters by tag are not served.
type ListAccountsRequest struct{ PageNumber, PageSize *int }

// ListAccountsResponse is a page of members.
type ListAccountsResponse struct {
	Accounts                         struct{ Account []AccountInfo }
	PageNumber, PageSize, TotalCount int
}

// AccountInfo is a member as it is answered.
type AccountInfo struct {
	AccountId, DisplayName, FolderId, ResourceDirectoryId string
	ResourceDirectoryPath, Type, Status, JoinMethod       string
	JoinTime, ModifyTime                                  string
}

func (d *Directory) info(m *member) AccountInfo {
	return AccountInfo{
		AccountId: m.account, DisplayName: "account-" + m.account, FolderId: m.folder, ResourceDirectoryId: DirectoryID,
		ResourceDirectoryPath: d.pathOf(m.account), Type: "CloudAccount", Status: "InviteSuccess", JoinMethod: "invited",
		JoinTime: stamp(m.joined), ModifyTime: stamp(m.joined),
	}
}

// ListAccounts lists the members, 10 a page by default and up to 100, to the
// management account.
func (d *Directory) ListAccounts(c *wire.Call, in *ListAccountsRequest) (*ListAccountsResponse, error) {
	number, size, err := in.page()
	if err != nil {
		return nil, err
	}
	if err := d.manage(c); err != nil {
		return nil, err
	}
	out := &ListAccountsResponse{PageNumber: number, PageSize: size, TotalCount: d.members.Len()}
	out.Accounts.Account = []AccountInfo{}
	n := 0
	for _, m := range d.members.After(0) {
		if n/size == number-1 {
			out.Accounts.Account = append(out.Accounts.Account, d.info(m))
		}
		n++
	}
	return out, nil
}

// page is the asked page; the codes are assumed.
func (in *ListAccountsRequest) page() (number, size int, err error) {
	number, size = wire.Given(in.PageNumber, 1), wire.Given(in.PageSize, 10)
	if number < 1 {
		return 0, 0, wire.Errorf(400, "InvalidParameter.PageNumber", "The PageNumber is invalid.")
	}
	if size < 1 || size > 100 {
		return 0, 0, wire.Errorf(400, "InvalidParameter.PageSize", "The PageSize is invalid.")
	}
	return number, size, nil
}

package resourcemanager

import (
	"cmp"
	"sync"
	"time"

	"fleetwarden/deploy/local/simcloud/wire"
)

// Empty is a request without parameters.
type Empty struct{}

// DirectoryResponse is the response of GetResourceDirectory.
type DirectoryResponse struct{ ResourceDirectory DirectoryInfo }

// DirectoryInfo is the directory as it is answered.
type DirectoryInfo struct {
	ResourceDirectoryId, RootFolderId, MasterAccountId, MasterAccountName string
	ControlPolicyStatus, CreateTime                                       string
}

// GetResourceDirectory shows the caller's directory, to members as well. An
// account outside gets 404 ResourceDirectoryNotInUse: the API's error table.
func (d *Directory) GetResourceDirectory(c *wire.Call, _ *Empty) (*DirectoryResponse, error) {
	if d.pathOf(c.Caller.Account) == "" {
		return nil, wire.Errorf(404, "ResourceDirectoryNotInUse", "The specified account is not an Alibaba Cloud account or a member account of the resource directory.")
	}
	return &DirectoryResponse{DirectoryInfo{
		ResourceDirectoryId: DirectoryID, RootFolderId: RootID, MasterAccountId: d.master, MasterAccountName: "account-" + d.master,
		ControlPolicyStatus: "Disabled", CreateTime: stamp(d.created),
	}}, nil
}

// rights are what RAM is asked about first. GetFolder and ListAncestors ask themselves, as
// their resource depends on what exists.
var rights = map[string][]string{
	"GetResourceDirectory": {"*"},
	"ListAccounts":         {"acs:resourcemanager:*:$Account:account/*"},
}

// Enter implements wire.Guarded.
func (d *Directory) Enter(c *wire.Call) (sync.Locker, error) {
	return &d.mu, c.Ask("resourcemanager:"+c.Action, rights[c.Action]...)
}

// manage lets only the management account on. That members get the answer of an
// account without a directory is assumed. The caller holds the mutex.
func (d *Directory) manage(c *wire.Call) error {
	if c.Caller.Account != d.master {
		return notEnabled()
	}
	return nil
}

// arn is a resource as RAM policies name it; what does not exist is asked for as
// any, so that who may not ask does not learn what exists.
func arn(c *wire.Call, kind, path string) string {
	return "acs:resourcemanager:*:" + c.Caller.Account + ":" + kind + "/" + cmp.Or(path, "*")
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

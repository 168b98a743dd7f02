// Package directory reads the account's resource directory from ResourceManager
// (2020-03-31): its id, the paths of folders, its accounts and where they are.
package directory

import (
	"context"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

// Client calls ResourceManager for one pass.
type Client struct{ session *aliyun.Session }

// New returns a Client that counts its calls in session.
func New(session *aliyun.Session) *Client { return &Client{session} }

func api(action string) aliyun.API {
	return aliyun.API{Product: aliyun.ResourceManager, Action: action}
}

type nothing struct{}

type directory struct {
	ResourceDirectory struct {
		ResourceDirectoryID string `json:"ResourceDirectoryId"`
		RootFolderID        string `json:"RootFolderId"`
	} `json:"ResourceDirectory"`
}

// Directory reads the account's directory; the zero Directory without one. It reads the
// paths of folders, and, if accounts are given, the folders of those accounts: only the
// management account, or a delegated one, may read that. A permanent failure is an unknown
// fact; a transient one is an error.
func (c *Client) Directory(ctx context.Context, folders []string, accounts []fleet.AccountID) (fleet.Directory, error) {
	got, err := aliyun.Do[nothing, directory](ctx, c.session, api("GetResourceDirectory"), &nothing{})
	if fleet.ClassOf(err) == fleet.NotFound {
		return fleet.Directory{}, nil
	}
	if err != nil {
		return fleet.Directory{}, err
	}
	d := fleet.Directory{
		ID: got.ResourceDirectory.ResourceDirectoryID, Root: got.ResourceDirectory.RootFolderID,
		Folders: map[string]fleet.Fact[string]{}, Members: map[fleet.AccountID]fleet.Fact[string]{},
	}
	for _, id := range folders {
		path, err := c.folder(ctx, id)
		if fleet.ClassOf(err).Passing() {
			return d, err
		}
		d.Folders[id] = fleet.FactOf(path, err)
	}
	if len(accounts) == 0 {
		return d, nil
	}
	members, err := c.members(ctx)
	if fleet.ClassOf(err).Passing() {
		return d, err
	}
	for _, id := range accounts {
		d.Members[id] = fleet.FactOf(members[id], err)
	}
	return d, nil
}

type folderRequest struct {
	FolderID *string `json:"FolderId,omitempty" xml:"FolderId,omitempty"`
}

type folder struct {
	Folder struct {
		ResourceDirectoryPath string `json:"ResourceDirectoryPath"`
	} `json:"Folder"`
}

// folder returns the path of a folder; "" when there is no such folder.
func (c *Client) folder(ctx context.Context, id string) (string, error) {
	got, err := aliyun.Do[folderRequest, folder](ctx, c.session, api("GetFolder"), &folderRequest{&id})
	if fleet.ClassOf(err) == fleet.NotFound {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return got.Folder.ResourceDirectoryPath, nil
}

// members returns the folder of each account of the directory.
func (c *Client) members(ctx context.Context) (map[fleet.AccountID]string, error) {
	all, err := c.list(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[fleet.AccountID]string, len(all))
	for _, a := range all {
		out[a.ID] = a.path
	}
	return out, nil
}

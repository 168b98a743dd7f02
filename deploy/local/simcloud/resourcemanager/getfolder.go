package resourcemanager

import (
	"cmp"

	"fleetwarden/deploy/local/simcloud/wire"
)

// FolderRequest names a folder.
type FolderRequest struct{ FolderId string }

// FolderResponse is the response of GetFolder.
type FolderResponse struct{ Folder FolderInfo }

// FolderInfo is a folder as it is answered.
type FolderInfo struct {
	FolderId, FolderName, CreateTime      string
	ParentFolderId, ResourceDirectoryPath string `json:",omitempty"`
}

// GetFolder shows a folder with its path, to the management account.
func (d *Directory) GetFolder(c *wire.Call, in *FolderRequest) (*FolderResponse, error) {
	f := d.folders.Get(in.FolderId)
	path := ""
	if f != nil && c.Caller.Account == d.master {
		path = d.path(f.id)
	}
	if err := cmp.Or(c.Allow("resourcemanager:GetFolder", arn(c, "folder", path)), d.manage(c)); err != nil {
		return nil, err
	}
	if f == nil {
		return nil, noFolder()
	}
	return &FolderResponse{FolderInfo{
		FolderId: f.id, FolderName: f.name, CreateTime: stamp(f.created), ParentFolderId: f.parent, ResourceDirectoryPath: path,
	}}, nil
}

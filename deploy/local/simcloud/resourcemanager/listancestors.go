package resourcemanager

import (
	"cmp"

	"fleetwarden/deploy/local/simcloud/wire"
)

// AncestorsRequest names a folder or a member.
type AncestorsRequest struct{ ChildId string }

// AncestorsResponse is all folders above, the root folder first (assumed).
type AncestorsResponse struct {
	Folders struct{ Folder []FolderInfo }
}

// ListAncestors lists the folders above a folder or a member, to the management
// account.
func (d *Directory) ListAncestors(c *wire.Call, in *AncestorsRequest) (*AncestorsResponse, error) {
	parent, found := d.parent(in.ChildId)
	path := ""
	if found && c.Caller.Account == d.master && d.folders.Get(in.ChildId) != nil {
		path = d.path(in.ChildId)
	}
	if err := cmp.Or(c.Allow("resourcemanager:ListAncestors", arn(c, "folder", path)), d.manage(c)); err != nil {
		return nil, err
	}
	if !found {
		return nil, noFolder()
	}
	out := &AncestorsResponse{}
	out.Folders.Folder = []FolderInfo{}
	for _, f := range d.line(parent) {
		out.Folders.Folder = append(out.Folders.Folder, FolderInfo{FolderId: f.id, FolderName: f.name, CreateTime: stamp(f.created)})
	}
	return out, nil
}

// parent is the folder right above a folder or a member; the root folder has
// none.
func (d *Directory) parent(child string) (string, bool) {
	if f := d.folders.Get(child); f != nil {
		return f.parent, true
	}
	if m := d.members.Get(child); m != nil {
		return m.folder, true
	}
	return "", false
}

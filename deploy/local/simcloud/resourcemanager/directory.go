package resourcemanager

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"fleetwarden/deploy/local/simcloud"
)

// The start world's directory. The management account is the world's first; its
// last account is a member, in folder Web, which is in folder Production. All
// others are outside.
const (
	DirectoryID = "rd-Local1"
	RootID      = "r-Root01"
	Production  = "fd-Prod000001"
	Web         = "fd-Web0000001"
	Development = "fd-Dev0000001"
)

// Directory is the product.
type Directory struct {
	world   *simcloud.World
	master  string
	created time.Time

	mu      sync.Mutex
	folders simcloud.Table[folder]
	members simcloud.Table[member]
	made    int // folders
}

type folder struct {
	id, name, parent string // parent is empty for the root folder
	created          time.Time
}

type member struct {
	account, folder string
	joined          time.Time
}

// New returns the start world's directory.
func New(w *simcloud.World) *Directory {
	now := w.Clock.Now()
	d := &Directory{world: w, master: w.Accounts[0], created: now}
	for _, f := range []folder{
		{RootID, "Root", "", now}, {Production, "Production", RootID, now},
		{Web, "Web", Production, now}, {Development, "Development", RootID, now},
	} {
		d.folders.Put(f.id, &f)
	}
	if last := w.Accounts[len(w.Accounts)-1]; last != d.master {
		d.members.Put(last, &member{last, Web, now})
	}
	return d
}

// AddFolder makes a folder in another one and returns its id.
func (d *Directory) AddFolder(parent, name string) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.folders.Get(parent) == nil {
		return "", fmt.Errorf("adding folder %s: no folder %s", name, parent)
	}
	d.made++
	id := fmt.Sprintf("fd-Made%06d", d.made)
	d.folders.Put(id, &folder{id, name, parent, d.world.Clock.Now()})
	return id, nil
}

// Move puts an account into a folder. One that is outside joins the directory.
func (d *Directory) Move(account, folder string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.folders.Get(folder) == nil:
		return fmt.Errorf("moving account %s: no folder %s", account, folder)
	case account == d.master:
		return fmt.Errorf("moving account %s: it is the management account", account)
	}
	joined := d.world.Clock.Now()
	if m := d.members.Get(account); m != nil {
		joined = m.joined
	}
	d.members.Put(account, &member{account, folder, joined})
	return nil
}

// Leave takes a member out of the directory.
func (d *Directory) Leave(account string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.members.Delete(account) {
		return fmt.Errorf("leaving the directory: account %s is no member", account)
	}
	return nil
}

// Of says where an account is: its directory, and its path there, which ends
// with the account's own id (documented for ListAccounts). ok is false for an
// account outside.
func (d *Directory) Of(account string) (directory, path string, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	path = d.pathOf(account)
	return DirectoryID, path, path != ""
}

// Within yields the accounts below the directory or folder of an id, and its
// path; ok is false if there is none. The management account is below the
// directory and its root folder.
func (d *Directory) Within(id string) (accounts []string, path string, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case id == DirectoryID:
		path = DirectoryID
	case d.folders.Get(id) != nil:
		path = d.path(id)
	default:
		return nil, "", false
	}
	for _, a := range d.accounts() {
		if strings.HasPrefix(d.pathOf(a), path+"/") {
			accounts = append(accounts, a)
		}
	}
	return accounts, path, true
}

// accounts are the management account and the members. The caller holds the
// mutex, as for all methods below.
func (d *Directory) accounts() []string {
	all := []string{d.master}
	for _, m := range d.members.After(0) {
		all = append(all, m.account)
	}
	return all
}

// pathOf is an account's path, empty if it is outside.
func (d *Directory) pathOf(account string) string {
	if account == d.master {
		return d.path(RootID) + "/" + account
	}
	if m := d.members.Get(account); m != nil {
		return d.path(m.folder) + "/" + account
	}
	return ""
}

// path is a folder's path from the directory down.
func (d *Directory) path(id string) string {
	parts := []string{DirectoryID}
	for _, f := range d.line(id) {
		parts = append(parts, f.id)
	}
	return strings.Join(parts, "/")
}

// line is a folder and all above it, the root folder first.
func (d *Directory) line(id string) []*folder {
	var out []*folder
	for f := d.folders.Get(id); f != nil; f = d.folders.Get(f.parent) {
		out = append(out, f)
	}
	slices.Reverse(out)
	return out
}

// State is the paths of all folders and accounts, in a fixed order.
func (d *Directory) State() any {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []string
	for _, f := range d.folders.After(0) {
		out = append(out, d.path(f.id)+" "+f.name)
	}
	for _, a := range d.accounts() {
		out = append(out, d.pathOf(a))
	}
	slices.Sort(out)
	return out
}

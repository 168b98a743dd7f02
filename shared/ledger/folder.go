package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"fleetwarden/shared/fleet"
)

// Folder is a store in a local folder, one file an object. A file is complete and synced
// before it gets its name.
type Folder struct{ path string }

// NewFolder returns a store in the folder at path, which the first Put creates.
func NewFolder(path string) *Folder { return &Folder{path} }

func classed(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrExist):
		return fleet.WithClass(fleet.Exists, err)
	case errors.Is(err, fs.ErrNotExist):
		return fleet.WithClass(fleet.NotFound, err)
	case errors.Is(err, fs.ErrPermission):
		return fleet.WithClass(fleet.Denied, err)
	}
	return err
}

// file returns the path of an object, and refuses a name that leads out of the folder. It fails
// when ctx has ended.
func (f *Folder) file(ctx context.Context, name string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return "", &fleet.BadInput{Where: "ledger object " + name, What: "the name leads out of the folder"}
	}
	return filepath.Join(f.path, filepath.FromSlash(name)), nil
}

// Put implements [Store]. It links the file: unlike a rename, that never replaces one.
func (f *Folder) Put(ctx context.Context, name string, body []byte) error {
	path, err := f.file(ctx, name)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return classed(fmt.Errorf("making the ledger's folder: %w", err))
	}
	temp, err := writeTemp(filepath.Dir(path), body)
	if err != nil {
		return classed(fmt.Errorf("writing %s: %w", name, err))
	}
	defer os.Remove(temp)
	if err := os.Link(temp, path); err != nil {
		return classed(fmt.Errorf("writing %s: %w", name, err))
	}
	if err := syncFolder(filepath.Dir(path)); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}

func writeTemp(dir string, body []byte) (string, error) {
	file, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return "", err
	}
	_, err = file.Write(body)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return "", errors.Join(err, os.Remove(file.Name()))
	}
	return file.Name(), nil
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Get implements [Store].
func (f *Folder) Get(ctx context.Context, name string) ([]byte, error) {
	path, err := f.file(ctx, name)
	if err != nil {
		return nil, err
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, classed(fmt.Errorf("reading %s: %w", name, err))
	}
	return body, nil
}

// List implements [Store]. It has one page.
func (f *Folder) List(ctx context.Context, prefix, after string) (names []string, more bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	err = filepath.WalkDir(f.path, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(f.path, p)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		if !d.IsDir() && strings.HasPrefix(name, prefix) && name > after && !strings.HasPrefix(d.Name(), ".") {
			names = append(names, name)
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, false, fmt.Errorf("listing the ledger's folder: %w", err)
	}
	slices.Sort(names)
	return names, false, nil
}

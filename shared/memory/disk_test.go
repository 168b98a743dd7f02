package memory_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
)

// disk keeps objects in files, so that they take no memory of the test.
type disk struct {
	*store
	dir     string
	n       int
	measure func()
}

func (d *disk) path(name string) string {
	return filepath.Join(d.dir, strings.ReplaceAll(name, "/", "_"))
}

func (d *disk) Put(_ context.Context, name string, body []byte) error {
	if d.n++; d.n%20 == 1 {
		d.measure()
	}
	d.objects[name] = nil
	return os.WriteFile(d.path(name), body, 0o600)
}

func (d *disk) Get(_ context.Context, name string) ([]byte, error) { return os.ReadFile(d.path(name)) }

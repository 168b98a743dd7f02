package ledger_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
)

func TestAFolderStoresObjects(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "there", "yet")
	f := ledger.NewFolder(dir)
	if names, more, err := f.List(t.Context(), "", ""); len(names) != 0 || more || err != nil {
		t.Errorf("a folder that is not there: got %v, %v, %v", names, more, err)
	}
	for _, name := range []string{"b/2", "a/1", "a/2"} {
		if err := f.Put(t.Context(), name, []byte(name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Put(t.Context(), "a/1", []byte("other")); fleet.ClassOf(err) != fleet.Exists {
		t.Errorf("a second object of that name: got %v", err)
	}
	if got, err := f.Get(t.Context(), "a/1"); string(got) != "a/1" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := f.Get(t.Context(), "a/3"); fleet.ClassOf(err) != fleet.NotFound {
		t.Errorf("a missing object: got %v", err)
	}
	names, _, err := f.List(t.Context(), "a/", "a/1")
	if err != nil || !slices.Equal(names, []string{"a/2"}) {
		t.Errorf("got %v, %v", names, err)
	}
	if all, _, _ := f.List(t.Context(), "", ""); len(all) != 3 {
		t.Errorf("beside the objects there is something: %v", all)
	}
}

func TestNoNameLeadsOutOfTheFolder(t *testing.T) {
	top := t.TempDir()
	f := ledger.NewFolder(filepath.Join(top, "ledger"))
	for _, name := range []string{"../x", "/etc/x", "a/../../x", ""} {
		_, gerr := f.Get(t.Context(), name)
		for _, err := range []error{f.Put(t.Context(), name, []byte("x")), gerr} {
			var bad *fleet.BadInput
			if !errors.As(err, &bad) {
				t.Errorf("%q: got %v", name, err)
			}
		}
	}
	if files, err := os.ReadDir(top); err != nil || len(files) != 0 {
		t.Errorf("something was written: %v, %v", files, err)
	}
}

func TestOnlyOneOfManyWritersCreatesTheObject(t *testing.T) {
	f := ledger.NewFolder(t.TempDir())
	var made atomic.Int32
	var all sync.WaitGroup
	for n := range 16 {
		all.Go(func() {
			err := f.Put(t.Context(), "a/1", fmt.Appendf(nil, "%04d", n))
			switch {
			case err == nil:
				made.Add(1)
			case fleet.ClassOf(err) != fleet.Exists:
				t.Error(err)
			}
		})
	}
	all.Wait()
	got, err := f.Get(t.Context(), "a/1")
	if made.Load() != 1 || err != nil || len(got) != 4 {
		t.Errorf("%d writers made it; it holds %q, %v", made.Load(), got, err)
	}
}

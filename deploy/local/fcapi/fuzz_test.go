package fcapi

import (
	"os"
	"testing"
)

func FuzzUnzip(f *testing.F) {
	f.Add([]byte("PK\x05\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("no zip"))
	f.Fuzz(func(t *testing.T, b []byte) {
		parent := t.TempDir()
		dir, err := os.MkdirTemp(parent, "code-")
		if err != nil {
			t.Fatal(err)
		}
		_ = unzip(b, dir) // an error is an answer too
		if entries, err := os.ReadDir(parent); err != nil || len(entries) != 1 {
			t.Errorf("something was written beside the folder: %v %v", entries, err)
		}
	})
}

package main

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fleetwarden/shared/policy"
)

func built(t *testing.T) string {
	t.Helper()
	dist := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dist, "attach-role"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dist, "attach-role", "main"), []byte("binary"), 0o755); err != nil {
		t.Fatal(err)
	}
	return dist
}

func TestAZipHoldsTheBinaryAndTheCheckedPolicy(t *testing.T) {
	dist := built(t)
	if err := run(io.Discard, filepath.Join("..", "policy.yaml"), dist, []string{"attach-role"}); err != nil {
		t.Fatal(err)
	}
	z, err := zip.OpenReader(filepath.Join(dist, "attach-role.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if len(z.File) != 2 || z.File[0].Name != "main" || z.File[0].Mode().Perm() != 0o755 {
		t.Fatalf("the zip holds %v", z.File)
	}
	in, err := z.File[1].Open()
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	shipped, err := policy.Load("policy.json", text)
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(filepath.Join("..", "policy.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	original, err := policy.Load("policy.yaml", source)
	if err != nil {
		t.Fatal(err)
	}
	if shipped.Digest != original.Digest {
		t.Errorf("the shipped policy has digest %s, the file %s", shipped.Digest, original.Digest)
	}
}

func TestTheSameInputGivesTheSameBytes(t *testing.T) {
	var zips [2][]byte
	for i := range zips {
		dist := built(t)
		if err := run(io.Discard, filepath.Join("..", "policy.yaml"), dist, []string{"attach-role"}); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(dist, "attach-role.zip"))
		if err != nil {
			t.Fatal(err)
		}
		zips[i] = text
	}
	if !bytes.Equal(zips[0], zips[1]) {
		t.Error("two zips of the same input differ")
	}
}

func TestABrokenPolicyIsNotShipped(t *testing.T) {
	dist := built(t)
	broken := filepath.Join(dist, "broken.yaml")
	if err := os.WriteFile(broken, []byte("version: 1\ncontrols:\n  instanceRole:\n    mod: audit\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := run(io.Discard, broken, dist, []string{"attach-role"})
	if err == nil || !strings.Contains(err.Error(), "broken.yaml:4:5") {
		t.Errorf("got %v, want an error at line 4, column 5", err)
	}
	if _, err := os.Stat(filepath.Join(dist, "attach-role.zip")); err == nil {
		t.Error("a zip was made all the same")
	}
}

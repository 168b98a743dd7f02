// Command pack makes the packages for Function Compute: it puts the operator's policy file,
// checked and in its compact form, beside each built binary, and zips both. The same input
// gives the same bytes.
package main

import (
	"archive/zip"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"fleetwarden/shared/policy"
)

func main() {
	from := flag.String("policy", "deploy/policy.yaml", "the operator's policy file")
	dist := flag.String("dist", "dist", "folder that holds FUNCTION/main for each function")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "pack [-policy FILE] [-dist DIR] FUNCTION ...\n\nMakes DIR/FUNCTION/policy.json and DIR/FUNCTION.zip for each function.")
		flag.PrintDefaults()
	}
	flag.Parse()
	if err := run(os.Stdout, *from, *dist, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, from, dist string, functions []string) error {
	if len(functions) == 0 {
		return fmt.Errorf("no functions named; see -help")
	}
	text, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("reading the policy file: %w", err)
	}
	p, err := policy.Load(from, text)
	if err != nil {
		return fmt.Errorf("the policy file cannot be shipped:\n%w", err)
	}
	for _, f := range functions {
		if err := os.WriteFile(filepath.Join(dist, f, "policy.json"), p.JSON(), 0o644); err != nil {
			return fmt.Errorf("shipping the policy with %s: %w", f, err)
		}
		size, err := pack(filepath.Join(dist, f), filepath.Join(dist, f+".zip"))
		if err != nil {
			return fmt.Errorf("packing %s: %w", f, err)
		}
		fmt.Fprintf(w, "%s.zip\t%.1f MB\tpolicy %.12s\n", filepath.Join(dist, f), float64(size)/1e6, p.Digest)
	}
	return nil
}

// pack zips main and policy.json; main keeps its executable bit.
func pack(dir, to string) (int64, error) {
	out, err := os.Create(to)
	if err != nil {
		return 0, err
	}
	defer out.Close()
	z := zip.NewWriter(out)
	for _, file := range []struct {
		name string
		mode os.FileMode
	}{{"main", 0o755}, {"policy.json", 0o644}} {
		if err := add(z, filepath.Join(dir, file.name), file.mode); err != nil {
			return 0, err
		}
	}
	if err := z.Close(); err != nil {
		return 0, err
	}
	info, err := out.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// epoch replaces all times in a zip, so that equal input gives equal bytes.
func epoch() time.Time { return time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC) }

func add(z *zip.Writer, from string, mode os.FileMode) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	h := &zip.FileHeader{Name: filepath.Base(from), Method: zip.Deflate, Modified: epoch()}
	h.SetMode(mode)
	w, err := z.CreateHeader(h)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, in)
	return err
}

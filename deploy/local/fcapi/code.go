package fcapi

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/crc64"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// Checksum is the CRC-64 (ECMA) of a zip as the API writes it: decimal. OSS uses the same
// polynomial.
func Checksum(b []byte) string {
	return strconv.FormatUint(crc64.Checksum(b, crc64.MakeTable(crc64.ECMA)), 10)
}

// Limits of code: FC's limits page.
const (
	maxZip      = 100 << 20
	maxUnpacked = 500 << 20
)

// code is a zip that was accepted.
type code struct {
	dir      string // with the unpacked files; the zip is beside it
	checksum string
	size     int64
}

// unpack reads the zip of a request into a new folder below dir.
func (in *InputCode) unpack(dir string) (code, error) {
	if in.OssBucketName != "" || in.OssObjectName != "" {
		return code{}, invalid("simcloud takes code as zipFile alone, not from OSS")
	}
	b, err := base64.StdEncoding.DecodeString(in.ZipFile)
	if err != nil || len(b) == 0 || len(b) > maxZip {
		return code{}, invalid("code.zipFile is empty, no Base64, or above %d bytes", maxZip)
	}
	out := code{checksum: Checksum(b), size: int64(len(b))}
	if in.Checksum != "" && in.Checksum != out.checksum {
		return code{}, invalid("code.checksum is %s, the zip has %s", in.Checksum, out.checksum)
	}
	if out.dir, err = os.MkdirTemp(dir, "code-"); err != nil {
		return code{}, fmt.Errorf("unpacking code: %w", err)
	}
	if err := unzip(b, out.dir); err != nil {
		return code{}, errors.Join(invalid("code.zipFile: %v", err), os.RemoveAll(out.dir))
	}
	if err := os.WriteFile(out.zip(), b, 0o600); err != nil {
		return code{}, fmt.Errorf("keeping code: %w", err)
	}
	return out, nil
}

func (c code) zip() string { return c.dir + ".zip" }

func unzip(b []byte, dir string) error {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return err
	}
	left := int64(maxUnpacked)
	for _, f := range z.File {
		if !filepath.IsLocal(f.Name) {
			return fmt.Errorf("%q leads out of the zip", f.Name)
		}
		n, err := extract(f, filepath.Join(dir, f.Name), left)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		left -= n
	}
	return nil
}

// extract writes one entry, of at most left bytes.
func extract(f *zip.File, path string, left int64) (n int64, err error) {
	switch mode := f.Mode(); {
	case mode.IsDir():
		return 0, os.MkdirAll(path, 0o700)
	case !mode.IsRegular():
		return 0, fmt.Errorf("it is neither a file nor a folder")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return 0, err
	}
	in, err := f.Open()
	if err != nil {
		return 0, err
	}
	defer in.Close() // it was read
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, f.Mode().Perm()|0o600)
	if err != nil {
		return 0, err
	}
	n, err = io.Copy(out, io.LimitReader(in, left+1))
	if n > left {
		err = fmt.Errorf("the zip unpacks to more than %d bytes", maxUnpacked)
	}
	return n, errors.Join(err, out.Close())
}

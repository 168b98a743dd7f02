package fcapi

import (
	"archive/zip"
	"crypto/rand"
	"hash/crc64"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"fleetwarden/deploy/local/simcloud/wire"
)

// Zip writes a function's code as it was deployed.
type Zip func(io.Writer) error

// digest is the checksum and the size of the zip; none where it cannot be read.
func (z Zip) digest() (string, int64) {
	sum := crc64.New(crc64.MakeTable(crc64.ECMA))
	var size counter
	if err := z(io.MultiWriter(sum, &size)); err != nil {
		return "", 0 // GetFunction shows that there is no code
	}
	return strconv.FormatUint(sum.Sum64(), 10), int64(size)
}

type counter int64

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

// ZipOf is a zip of files: names in it, and their paths. Equal files make equal zips.
func ZipOf(files ...[2]string) Zip {
	return func(w io.Writer) error {
		z := zip.NewWriter(w)
		for _, f := range files {
			if err := add(z, f[0], f[1]); err != nil {
				return err
			}
		}
		return z.Close()
	}
}

func add(z *zip.Writer, name, path string) error {
	h := &zip.FileHeader{Name: name, Method: zip.Store}
	h.SetMode(0o755)
	w, err := z.CreateHeader(h)
	if err != nil {
		return err
	}
	return copyOf(path)(w)
}

// copyOf is the zip in a file.
func copyOf(path string) Zip {
	return func(w io.Writer) error {
		in, err := os.Open(path)
		if err != nil {
			return err
		}
		defer in.Close() // it was read
		_, err = io.Copy(w, in)
		return err
	}
}

// goodFor is how long an address of code can be read: "short-lived" is all that is published.
const goodFor = 10 * time.Minute

// download is code that can be read at an address for a while.
type download struct {
	zip   Zip
	until time.Time // virtual
}

// Code is what GetFunctionCode shows.
type Code struct {
	Checksum string `json:"checksum"`
	URL      string `json:"url"`
}

// GetFunctionCode makes an address at which anyone can read a function's zip for a while.
func (a *API) GetFunctionCode(c *wire.Call, in *QualifiedRequest) (*Code, error) {
	f, err := a.find(c, in.FunctionName)
	if err != nil {
		return nil, err
	}
	if err := onlyLatest(in.Qualifier); err != nil {
		return nil, err
	}
	token := rand.Text()
	a.downloads[token] = download{f.zip, c.Now.Add(goodFor)}
	return &Code{f.shown().CodeChecksum, a.o.Downloads + token}, nil
}

// ServeHTTP answers the addresses of GetFunctionCode, as OSS does: without a signature of the
// caller's.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	now := a.o.World.Clock.Now()
	a.mu.Lock()
	d, ok := a.downloads[token]
	if ok && now.After(d.until) {
		delete(a.downloads, token)
		ok = false
	}
	a.mu.Unlock()
	if !ok || r.Method != http.MethodGet {
		http.Error(w, "AccessDenied: Request has expired.", http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "application/zip")
	if err := d.zip(w); err != nil {
		panic(http.ErrAbortHandler) // cuts the answer off
	}
}

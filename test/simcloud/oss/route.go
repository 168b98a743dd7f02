package oss

import (
	"net"
	"net/http"
	"strings"
)

// target is what a request is about. Without a key it is the bucket, without a
// bucket the service.
type target struct{ bucket, key, region string }

// Owns reports whether a request is meant for OSS: by its host name, or, at an
// address without a name, by its signature.
func Owns(r *http.Request) bool {
	if _, _, ok := endpoint(r.Host); ok {
		return true
	}
	return byAddress(r.Host) && strings.HasPrefix(r.Header.Get("Authorization"), algorithm+" ")
}

// endpoint takes apart [<bucket>.]oss-<region>[-internal].aliyuncs.com.
func endpoint(host string) (bucket, region string, ok bool) {
	host, _, _ = strings.Cut(host, ":")
	name, ok := strings.CutSuffix(host, ".aliyuncs.com")
	if !ok {
		return "", "", false
	}
	if i := strings.LastIndex(name, "."); i >= 0 {
		bucket, name = name[:i], name[i+1:]
	}
	region, ok = strings.CutPrefix(name, "oss-")
	return bucket, strings.TrimSuffix(region, "-internal"), ok && !strings.Contains(bucket, ".")
}

func byAddress(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	return name == "localhost" || net.ParseIP(name) != nil
}

// aim reads the target from host name and path. At an address without a name the
// signature tells the region.
func aim(r *http.Request, c claim) target {
	bucket, region, named := endpoint(r.Host)
	if !named {
		region = c.region
	}
	path := strings.TrimPrefix(r.URL.Path, "/")
	if bucket == "" {
		bucket, path, _ = strings.Cut(path, "/")
	}
	return target{bucket, path, region}
}

// operation is an API of the REST protocol, and the action that RAM must allow.
type operation struct {
	name, action string
	run          func(*Handler, *request) (answer, error)
}

// subresources are parts of buckets and objects that this service does not have.
// Unserved, they must not be taken for the whole.
var subresources = []string{"acl", "uploads", "uploadId", "tagging", "versioning", "versions", "lifecycle", "policy", "append", "delete", "worm", "symlink", "restore"}

func route(r *http.Request, t target) (operation, bool) {
	q := r.URL.Query()
	for _, s := range subresources {
		if q.Has(s) {
			return operation{}, false
		}
	}
	switch {
	case t.bucket == "":
		return operation{}, false
	case t.key == "" && r.Method == http.MethodPut:
		return operation{"PutBucket", "oss:PutBucket", (*Handler).putBucket}, true
	case t.key == "" && r.Method == http.MethodGet && q.Get("list-type") == "2":
		return operation{"ListObjectsV2", "oss:ListObjects", (*Handler).list}, true
	case t.key == "":
		return operation{}, false
	case r.Method == http.MethodPut && r.Header.Get("x-oss-copy-source") == "":
		return operation{"PutObject", "oss:PutObject", (*Handler).putObject}, true
	case r.Method == http.MethodGet:
		return operation{"GetObject", "oss:GetObject", (*Handler).getObject}, true
	case r.Method == http.MethodHead:
		return operation{"HeadObject", "oss:GetObject", (*Handler).headObject}, true
	case r.Method == http.MethodDelete:
		return operation{"DeleteObject", "oss:DeleteObject", (*Handler).deleteObject}, true
	}
	return operation{}, false
}

package oss

import (
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"fleetwarden/deploy/local/simcloud/wire"
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
	a := r.Header.Get("Authorization")
	return byAddress(r.Host) && (strings.HasPrefix(a, algorithm+" ") || strings.HasPrefix(a, algorithmV1+" "))
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

// aim reads the target from host name and path. At an address without a name a signature
// of version 4 names the region; one of version 1 does not, and the bucket is taken to be
// where it is.
func (h *Handler) aim(r *http.Request, c claim) target {
	bucket, region, named := endpoint(r.Host)
	if !named {
		region = c.region
	}
	path := strings.TrimPrefix(r.URL.Path, "/")
	if bucket == "" {
		bucket, path, _ = strings.Cut(path, "/")
	}
	if region == "" {
		if _, at, ok := h.Service.owner(bucket); ok {
			region = at
		} else if regions := h.Service.w.Regions; len(regions) > 0 {
			region = regions[0]
		}
	}
	return target{bucket, path, region}
}

// operation is an API of the REST protocol, and the action that RAM must allow.
type operation struct {
	name, action string
	// query and headers are the parameters, and the optional headers that change what the
	// call does, which are served. With any other the call would be answered as something
	// else than it is.
	query, headers []string
	run            func(*Handler, *request, *bucket) (answer, error)
}

// conditions are the headers that make a read depend on what is there.
var conditions = []string{"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"}

// changing reports whether a header changes what a call does.
func changing(name string) bool {
	switch name {
	case "Range", "X-Oss-Forbid-Overwrite", "X-Oss-Range-Behavior":
		return true
	case "X-Oss-Date", "X-Oss-Content-Sha256", "X-Oss-Security-Token":
		return false
	}
	return slices.Contains(conditions, name) || (strings.HasPrefix(name, "X-Oss-") && !strings.HasPrefix(name, metaPrefix))
}

// route finds the operation of a request. The error says what is not served.
func route(r *http.Request, t target) (operation, error) {
	q := r.URL.Query()
	op, ok := find(r.Method, t, q)
	if !ok {
		return operation{name: r.Method}, notServed(r, "this resource")
	}
	for _, name := range slices.Sorted(maps.Keys(q)) {
		if !slices.Contains(op.query, name) {
			return operation{name: r.Method + " ?" + name}, notServed(r, "the parameter "+name+" of "+op.name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if changing(name) && !slices.Contains(op.headers, name) {
			return operation{name: op.name}, notServed(r, "the header "+name+" of "+op.name)
		}
	}
	return op, nil
}

// notServed is the answer to what OSS has and simcloud lacks. OSS itself never gives it.
func notServed(r *http.Request, what string) error {
	return wire.Errorf(501, "NotImplemented", "simcloud does not serve %s by %s.", what, r.Method)
}

// find is the operation of a method on the service, a bucket or an object, or on that
// sub-resource of a bucket that the query names.
func find(method string, t target, q url.Values) (operation, bool) {
	if t.bucket == "" {
		op, ok := operations[method+" service"]
		return op, ok
	}
	if t.key != "" {
		op, ok := operations[method+" object"]
		return op, ok
	}
	for _, name := range slices.Sorted(maps.Keys(q)) {
		if op, ok := operations[method+" bucket?"+name]; ok && (name != "list-type" || q.Get(name) == "2") {
			return op, true
		}
	}
	op, ok := operations[method+" bucket"]
	return op, ok
}

// operations are what is served.
var operations = withSettings(map[string]operation{
	"GET service":           {"ListBuckets", "oss:ListBuckets", []string{"prefix", "marker", "max-keys"}, nil, (*Handler).listBuckets},
	"PUT bucket":            {"PutBucket", "oss:PutBucket", nil, []string{"X-Oss-Acl"}, (*Handler).putBucket},
	"GET bucket":            {"ListObjects", "oss:ListObjects", slices.Concat(listed, []string{"marker"}), nil, (*Handler).list},
	"GET bucket?list-type":  {"ListObjectsV2", "oss:ListObjects", slices.Concat(listed, []string{"list-type", "start-after", "continuation-token"}), nil, (*Handler).list},
	"PUT bucket?versioning": {"PutBucketVersioning", "oss:PutBucketVersioning", []string{"versioning"}, nil, (*Handler).putVersioning},
	"GET bucket?versioning": {"GetBucketVersioning", "oss:GetBucketVersioning", []string{"versioning"}, nil, (*Handler).getVersioning},
	"GET bucket?bucketInfo": {"GetBucketInfo", "oss:GetBucketInfo", []string{"bucketInfo"}, nil, (*Handler).getInfo},
	"GET bucket?acl":        {"GetBucketAcl", "oss:GetBucketAcl", []string{"acl"}, nil, (*Handler).getACL},
	"PUT bucket?acl":        {"PutBucketAcl", "oss:PutBucketAcl", []string{"acl"}, []string{"X-Oss-Acl"}, (*Handler).putACL},
	"PUT object":            {"PutObject", "oss:PutObject", nil, []string{"X-Oss-Forbid-Overwrite"}, (*Handler).putObject},
	"GET object":            {"GetObject", "oss:GetObject", version, slices.Concat([]string{"Range", "X-Oss-Range-Behavior"}, conditions), (*Handler).getObject},
	"HEAD object":           {"HeadObject", "oss:GetObject", version, conditions, (*Handler).headObject},
	"DELETE object":         {"DeleteObject", "oss:DeleteObject", version, nil, (*Handler).deleteObject},
})

// Parameters of several operations.
var (
	listed  = []string{"prefix", "delimiter", "max-keys", "encoding-type"}
	version = []string{"versionId"}
)

package oss

import (
	"cmp"
	"crypto/md5"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

func (h *Handler) putBucket(r *request) (answer, error) {
	if err := h.Service.CreateBucket(r.call.Caller.Account, r.at.region, r.at.bucket); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, header: map[string]string{"Location": "/" + r.at.bucket}}, nil
}

// versioningState is the document of PutBucketVersioning and GetBucketVersioning. A bucket
// that never had versioning has no Status.
type versioningState struct {
	XMLName xml.Name `xml:"VersioningConfiguration"`
	Status  string   `xml:",omitempty"`
}

func (h *Handler) putVersioning(r *request) (answer, error) {
	var in versioningState
	if err := xml.Unmarshal(r.body, &in); err != nil {
		return answer{}, errMalformedXML()
	}
	return answer{status: http.StatusOK}, h.Service.SetVersioning(r.at.bucket, in.Status)
}

func (h *Handler) getVersioning(r *request) (answer, error) {
	status, err := h.Service.versioning(r.at.bucket)
	return answer{status: http.StatusOK, doc: versioningState{Status: status}}, err
}

// metaPrefix begins the headers of an object's own metadata.
const metaPrefix = "X-Oss-Meta-"

// kept are the headers of an upload that come back with the object.
func kept(h http.Header) map[string]string {
	out := map[string]string{}
	for name := range h {
		switch name {
		case "Content-Type", "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Expires":
		default:
			if !strings.HasPrefix(name, metaPrefix) {
				continue
			}
		}
		out[name] = h.Get(name)
	}
	return out
}

func (h *Handler) putObject(r *request) (answer, error) {
	if given := r.Header.Get("Content-MD5"); given != "" {
		if sum := md5.Sum(r.body); given != base64.StdEncoding.EncodeToString(sum[:]) {
			return answer{}, errInvalidDigest()
		}
	}
	o, err := h.Service.put(r.at.bucket, r.at.key, kept(r.Header), r.body, strings.EqualFold(r.Header.Get("x-oss-forbid-overwrite"), "true"))
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, header: o.versioned(map[string]string{"ETag": o.etag, "x-oss-hash-crc64ecma": o.crc})}, nil
}

// versioned adds the version's id, which an object of a bucket without versioning lacks.
func (o *object) versioned(header map[string]string) map[string]string {
	if o.version != "" {
		header["x-oss-version-id"] = o.version
	}
	return header
}

func (h *Handler) getObject(r *request) (answer, error) {
	o, err := h.find(r)
	if err != nil {
		return answer{}, err
	}
	header := o.headers()
	from, to, part, err := span(r.Header.Get("Range"), r.Header.Get("x-oss-range-behavior"), len(o.body))
	if err != nil || !part {
		return answer{status: http.StatusOK, header: header, object: o.body}, err
	}
	header["Content-Range"] = fmt.Sprintf("bytes %d-%d/%d", from, to-1, len(o.body))
	return answer{status: http.StatusPartialContent, header: header, object: o.body[from:to]}, nil
}

// find is the object that a read is about, if the read's conditions hold.
func (h *Handler) find(r *request) (*object, error) {
	o, err := h.Service.get(r.at.bucket, r.at.key, r.URL.Query().Get("versionId"))
	if err == nil {
		err = unmet(r.Request, o)
	}
	return o, err
}

// headObject answers what getObject does, without the object. An error stands in a
// header, since there is no body for it.
func (h *Handler) headObject(r *request) (answer, error) {
	o, err := h.find(r)
	if err == nil {
		header := o.headers()
		header["Content-Length"] = strconv.Itoa(len(o.body))
		return answer{status: http.StatusOK, header: header}, nil
	}
	ans := resolve(r, answer{}, err)
	doc, merr := xml.Marshal(ans.doc)
	if merr != nil {
		return answer{}, merr
	}
	ans.header = map[string]string{"x-oss-err": base64.StdEncoding.EncodeToString(doc)}
	return ans, nil
}

func (o *object) headers() map[string]string {
	header := map[string]string{"Content-Type": "application/octet-stream"}
	maps.Copy(header, o.kept)
	maps.Copy(header, map[string]string{
		"ETag": o.etag, "Last-Modified": httpTime(o.modified), "Accept-Ranges": "bytes",
		"x-oss-hash-crc64ecma": o.crc, "x-oss-object-type": "Normal", "x-oss-storage-class": "Standard",
	})
	return o.versioned(header)
}

func (h *Handler) deleteObject(r *request) (answer, error) {
	marker, err := h.Service.remove(r.at.bucket, r.at.key, r.URL.Query().Get("versionId"))
	ans := answer{status: http.StatusNoContent}
	if marker != nil {
		ans.header = marker.versioned(map[string]string{"x-oss-delete-marker": "true"})
	}
	return ans, err
}

// buckets is the answer of ListBuckets (GetService).
type buckets struct {
	XMLName xml.Name `xml:"ListAllMyBucketsResult"`
	Owner   struct{ ID, DisplayName string }
	Buckets struct{ Bucket []bucketItem }
}

type bucketItem struct {
	Name, Location, Region, CreationDate, ExtranetEndpoint, IntranetEndpoint, StorageClass string
}

// listBuckets lists the account's own buckets of all regions, in one page.
func (h *Handler) listBuckets(r *request) (answer, error) {
	s := h.Service
	s.w.Lock()
	defer s.w.Unlock()
	out := buckets{}
	out.Owner.ID, out.Owner.DisplayName = r.call.Caller.Account, r.call.Caller.Account
	for _, name := range slices.Sorted(maps.Keys(s.buckets)) {
		b := s.buckets[name]
		q := r.URL.Query()
		if b.account != r.call.Caller.Account || !strings.HasPrefix(name, q.Get("prefix")) || (q.Has("marker") && name <= q.Get("marker")) {
			continue
		}
		at := "oss-" + b.region
		out.Buckets.Bucket = append(out.Buckets.Bucket, bucketItem{
			name, at, b.region, b.created.UTC().Format(listTime), at + ".aliyuncs.com", at + "-internal.aliyuncs.com", "Standard",
		})
	}
	return answer{status: http.StatusOK, doc: out}, nil
}

// listing is the answer of ListObjectsV2, and of ListObjects, which knows markers in the
// place of tokens.
type listing struct {
	XMLName               xml.Name `xml:"ListBucketResult"`
	Name                  string
	Prefix                string
	StartAfter            string `xml:",omitempty"`
	Marker                string `xml:",omitempty"`
	NextMarker            string `xml:",omitempty"`
	MaxKeys               int
	Delimiter             string `xml:",omitempty"`
	EncodingType          string `xml:",omitempty"`
	IsTruncated           bool
	ContinuationToken     string `xml:",omitempty"`
	NextContinuationToken string `xml:",omitempty"`
	KeyCount              int    `xml:",omitempty"`
	Contents              []content
	CommonPrefixes        []commonPrefix
}

type content struct {
	Key          string
	LastModified string
	ETag         string
	Type         string
	Size         int
	StorageClass string
}

type commonPrefix struct{ Prefix string }

// listTime is how listings write times.
const listTime = "2006-01-02T15:04:05.000Z"

// asked is what a listing asks for.
type asked struct {
	prefix, delimiter, after string
	max                      int
	url                      bool
}

func readAsked(q url.Values) (asked, error) {
	a := asked{prefix: q.Get("prefix"), delimiter: q.Get("delimiter"), after: cmp.Or(q.Get("start-after"), q.Get("marker")), max: 100}
	if text := q.Get("max-keys"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 1000 {
			return a, errInvalidArgument("max-keys is not a number from 1 to 1000.")
		}
		a.max = n
	}
	if token := q.Get("continuation-token"); token != "" {
		after, err := base64.URLEncoding.DecodeString(token)
		if err != nil {
			return a, errInvalidArgument("The continuation token is not one that was given out.")
		}
		a.after = string(after)
	}
	switch q.Get("encoding-type") {
	case "url":
		a.url = true
	case "":
	default:
		return a, errInvalidArgument("The only encoding type is url.")
	}
	return a, nil
}

func (a asked) text(s string) string {
	if a.url {
		return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
	}
	return s
}

func (h *Handler) list(r *request) (answer, error) {
	q := r.URL.Query()
	a, err := readAsked(q)
	if err != nil {
		return answer{}, err
	}
	b, last, err := h.Service.list(r.at.bucket, a)
	if err != nil {
		return answer{}, err
	}
	b.Name, b.MaxKeys, b.EncodingType = r.at.bucket, a.max, q.Get("encoding-type")
	b.Prefix, b.Delimiter, b.StartAfter = a.text(a.prefix), a.text(a.delimiter), a.text(q.Get("start-after"))
	b.Marker, b.ContinuationToken = a.text(q.Get("marker")), q.Get("continuation-token")
	switch second := q.Get("list-type") == "2"; {
	case !second:
		b.NextMarker, b.KeyCount = a.text(last), 0
	case last != "":
		b.NextContinuationToken = base64.URLEncoding.EncodeToString([]byte(last))
	}
	return answer{status: http.StatusOK, doc: b}, nil
}

// list goes through the names in order. What lies below one common prefix counts
// as one entry. last is the entry that a next page comes after; "" if there is none.
func (s *Service) list(name string, a asked) (out listing, last string, err error) {
	err = s.on(name, func(b *bucket) error {
		end := ""
		for _, key := range b.keys(a.prefix) {
			group := a.group(key)
			if key <= a.after || (group != "" && group <= a.after) || (group != "" && group == end) {
				continue
			}
			if out.KeyCount == a.max {
				out.IsTruncated, last = true, end
				return nil
			}
			out.KeyCount++
			if group != "" {
				end = group
				out.CommonPrefixes = append(out.CommonPrefixes, commonPrefix{a.text(group)})
				continue
			}
			end = key
			o := b.current(key)
			out.Contents = append(out.Contents, content{a.text(key), o.modified.UTC().Format(listTime), o.etag, "Normal", len(o.body), "Standard"})
		}
		return nil
	})
	return out, last, err
}

// group is the common prefix that a name is listed under; "" when it is listed
// itself.
func (a asked) group(key string) string {
	if a.delimiter == "" {
		return ""
	}
	rest := key[len(a.prefix):]
	if i := strings.Index(rest, a.delimiter); i >= 0 {
		return a.prefix + rest[:i+len(a.delimiter)]
	}
	return ""
}

package oss

import (
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

func (h *Handler) putBucket(r *request) (answer, error) {
	if err := h.Service.CreateBucket(r.call.Caller.Account, r.at.region, r.at.bucket); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, header: map[string]string{"Location": "/" + r.at.bucket}}, nil
}

func (h *Handler) putObject(r *request) (answer, error) {
	o, err := h.Service.put(r.at.bucket, r.at.key, r.Header.Get("Content-Type"), r.body, strings.EqualFold(r.Header.Get("x-oss-forbid-overwrite"), "true"))
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, header: map[string]string{"ETag": o.etag, "x-oss-hash-crc64ecma": o.crc}}, nil
}

func (h *Handler) getObject(r *request) (answer, error) {
	o, err := h.Service.get(r.at.bucket, r.at.key)
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, header: o.headers(), object: o.body}, nil
}

// headObject answers what getObject does, without the object. An error stands in a
// header, since there is no body for it.
func (h *Handler) headObject(r *request) (answer, error) {
	o, err := h.Service.get(r.at.bucket, r.at.key)
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
	kind := o.kind
	if kind == "" {
		kind = "application/octet-stream"
	}
	return map[string]string{
		"Content-Type": kind, "ETag": o.etag, "Last-Modified": httpTime(o.modified),
		"x-oss-hash-crc64ecma": o.crc, "x-oss-object-type": "Normal", "x-oss-storage-class": "Standard",
	}
}

func (h *Handler) deleteObject(r *request) (answer, error) {
	return answer{status: http.StatusNoContent}, h.Service.remove(r.at.bucket, r.at.key)
}

// listing is the answer of ListObjectsV2.
type listing struct {
	XMLName               xml.Name `xml:"ListBucketResult"`
	Name                  string
	Prefix                string
	StartAfter            string `xml:",omitempty"`
	MaxKeys               int
	Delimiter             string `xml:",omitempty"`
	EncodingType          string `xml:",omitempty"`
	IsTruncated           bool
	ContinuationToken     string `xml:",omitempty"`
	NextContinuationToken string `xml:",omitempty"`
	KeyCount              int
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
	a := asked{prefix: q.Get("prefix"), delimiter: q.Get("delimiter"), after: q.Get("start-after"), max: 100}
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
	b, ok := h.Service.list(r.at.bucket, a)
	if !ok {
		return answer{}, errNoSuchBucket(r.at.bucket)
	}
	b.Name, b.MaxKeys, b.EncodingType = r.at.bucket, a.max, q.Get("encoding-type")
	b.Prefix, b.Delimiter, b.StartAfter = a.text(a.prefix), a.text(a.delimiter), a.text(q.Get("start-after"))
	b.ContinuationToken = q.Get("continuation-token")
	return answer{status: http.StatusOK, doc: b}, nil
}

// list goes through the names in order. What lies below one common prefix counts
// as one entry.
func (s *Service) list(name string, a asked) (out listing, ok bool) {
	s.w.Lock()
	defer s.w.Unlock()
	b := s.buckets[name]
	if b == nil {
		return out, false
	}
	last := ""
	for _, key := range b.keys(a.prefix) {
		group := a.group(key)
		if key <= a.after || (group != "" && group <= a.after) || (group != "" && group == last) {
			continue
		}
		if out.KeyCount == a.max {
			out.IsTruncated, out.NextContinuationToken = true, base64.URLEncoding.EncodeToString([]byte(last))
			return out, true
		}
		out.KeyCount++
		if group != "" {
			last = group
			out.CommonPrefixes = append(out.CommonPrefixes, commonPrefix{a.text(group)})
			continue
		}
		last = key
		o := b.objects[key]
		out.Contents = append(out.Contents, content{a.text(key), o.modified.UTC().Format(listTime), o.etag, "Normal", len(o.body), "Standard"})
	}
	return out, true
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

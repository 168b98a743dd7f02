package oss

import (
	"cmp"
	"encoding/base64"
	"encoding/xml"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

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
func (h *Handler) listBuckets(r *request, _ *bucket) (answer, error) {
	s := h.Service
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

func (h *Handler) list(r *request, on *bucket) (answer, error) {
	q := r.URL.Query()
	a, err := readAsked(q)
	if err != nil {
		return answer{}, err
	}
	b, last := on.list(a)
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
func (b *bucket) list(a asked) (out listing, last string) {
	end := ""
	for _, key := range b.keys(a.prefix) {
		group := a.group(key)
		if key <= a.after || (group != "" && group <= a.after) || (group != "" && group == end) {
			continue
		}
		if out.KeyCount == a.max {
			out.IsTruncated = true
			return out, end
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
	return out, ""
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

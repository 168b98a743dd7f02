package oss

import (
	"cmp"
	"crypto/md5"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
)

// bucketConfiguration is the body of PutBucket, which may be missing.
type bucketConfiguration struct {
	XMLName                          xml.Name `xml:"CreateBucketConfiguration"`
	StorageClass, DataRedundancyType string
}

// putBucket makes a bucket, or sets the ACL of one that the caller has.
func (h *Handler) putBucket(r *request, _ *bucket) (answer, error) {
	in := bucketConfiguration{}
	if len(r.body) > 0 && xml.Unmarshal(r.body, &in) != nil {
		return answer{}, errMalformedXML()
	}
	if cmp.Or(in.StorageClass, "Standard") != "Standard" || cmp.Or(in.DataRedundancyType, "LRS") != "LRS" {
		return answer{}, notServed(r.Request, "buckets of "+in.StorageClass+" "+in.DataRedundancyType)
	}
	access := r.Header.Get("x-oss-acl")
	if err := checkACL(cmp.Or(access, "private")); err != nil {
		return answer{}, err
	}
	b, err := h.Service.make(r.call.Caller.Account, r.at.region, r.at.bucket)
	if err == nil && access != "" {
		err = b.setACL(access)
	}
	return answer{status: http.StatusOK, header: map[string]string{"Location": "/" + r.at.bucket}}, err
}

// versioningState is the document of PutBucketVersioning and GetBucketVersioning. A bucket
// that never had versioning has no Status.
type versioningState struct {
	XMLName xml.Name `xml:"VersioningConfiguration"`
	Status  string   `xml:",omitempty"`
}

func (h *Handler) putVersioning(r *request, b *bucket) (answer, error) {
	var in versioningState
	if err := xml.Unmarshal(r.body, &in); err != nil {
		return answer{}, errMalformedXML()
	}
	return answer{status: http.StatusOK}, b.setVersioning(in.Status)
}

func (h *Handler) getVersioning(r *request, b *bucket) (answer, error) {
	return answer{status: http.StatusOK, doc: versioningState{Status: b.versioning}}, nil
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

func (h *Handler) putObject(r *request, b *bucket) (answer, error) {
	if given := r.Header.Get("Content-MD5"); given != "" {
		if sum := md5.Sum(r.body); given != base64.StdEncoding.EncodeToString(sum[:]) {
			return answer{}, errInvalidDigest()
		}
	}
	o, err := h.Service.put(b, r.at.key, kept(r.Header), r.body, strings.EqualFold(r.Header.Get("x-oss-forbid-overwrite"), "true"))
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

func (h *Handler) getObject(r *request, b *bucket) (answer, error) {
	o, err := b.find(r)
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
func (b *bucket) find(r *request) (*object, error) {
	o, err := b.get(r.at.key, r.URL.Query().Get("versionId"))
	if err == nil {
		err = unmet(r.Request, o)
	}
	return o, err
}

// headObject answers what getObject does, without the object. An error stands in a
// header, since there is no body for it.
func (h *Handler) headObject(r *request, b *bucket) (answer, error) {
	o, err := b.find(r)
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

func (h *Handler) deleteObject(r *request, b *bucket) (answer, error) {
	ans := answer{status: http.StatusNoContent}
	if marker := h.Service.remove(b, r.at.key, r.URL.Query().Get("versionId")); marker != nil {
		ans.header = marker.versioned(map[string]string{"x-oss-delete-marker": "true"})
	}
	return ans, nil
}

package oss

import (
	"cmp"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"hash/crc64"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"fleetwarden/deploy/local/simcloud"
)

// Service holds buckets and objects.
type Service struct {
	w       *simcloud.World
	buckets map[string]*bucket // names are unique over all accounts
}

type bucket struct {
	account, region string
	created         time.Time
	// versioning is "" in a bucket that never had it, else Enabled or Suspended: it can
	// be suspended and never be taken away.
	versioning string
	// settings are documents by sub-resource, access the bucket's ACL; both as they were
	// written, empty where they were not.
	settings map[string][]byte
	access   string
	// objects has the versions by name, the current one last. Without versioning there
	// is one.
	objects map[string][]*object
}

// States of versioning.
const (
	enabled   = "Enabled"
	suspended = "Suspended"
)

// object is one version of an object. It is replaced, never changed.
type object struct {
	body     []byte
	etag     string
	crc      string
	kept     map[string]string // headers that come back as they were given
	modified time.Time
	// version is "" in a bucket without versioning, and "null" for what is written while
	// it is suspended.
	version string
	// deleted marks a delete marker, which has no body.
	deleted bool
}

// New returns a service without buckets.
func New(w *simcloud.World) *Service { return &Service{w, map[string]*bucket{}} }

// Bucket names have 3 to 63 small letters, digits and hyphens.
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$`)

// maxKey is the longest name of an object, in bytes.
const maxKey = 1023

func validKey(key string) bool {
	return key != "" && len(key) <= maxKey && utf8.ValidString(key) && key[0] != '/' && key[0] != '\\'
}

// CreateBucket makes a bucket without versioning. One that the account has already is
// left as it is.
func (s *Service) CreateBucket(account, region, name string) error {
	s.w.Lock()
	defer s.w.Unlock()
	_, err := s.make(account, region, name)
	return err
}

// make is CreateBucket for a caller that holds the mutex.
func (s *Service) make(account, region, name string) (*bucket, error) {
	if !bucketName.MatchString(name) {
		return nil, errInvalidBucketName()
	}
	have := s.buckets[name]
	switch {
	case have == nil:
		have = &bucket{account: account, region: region, created: s.w.Clock.Now(), settings: map[string][]byte{}, objects: map[string][]*object{}}
		s.buckets[name] = have
	case have.account != account || have.region != region:
		return nil, errBucketAlreadyExists()
	}
	return have, nil
}

// on calls f with a bucket under the world's mutex.
func (s *Service) on(name string, f func(*bucket) error) error {
	s.w.Lock()
	defer s.w.Unlock()
	if b := s.buckets[name]; b != nil {
		return f(b)
	}
	return errNoSuchBucket(name)
}

// SetVersioning switches a bucket's versioning to Enabled or Suspended.
func (s *Service) SetVersioning(name, status string) error {
	return s.on(name, func(b *bucket) error { return b.setVersioning(status) })
}

func (b *bucket) setVersioning(status string) error {
	if status != enabled && status != suspended {
		return errMalformedXML()
	}
	b.versioning = status
	return nil
}

// crcTable is the polynomial of x-oss-hash-crc64ecma.
var crcTable = crc64.MakeTable(crc64.ECMA)

// put writes an object. In a bucket that has, or had, versioning, forbidOverwrite means
// nothing: documented for PutObject. The caller holds the mutex.
func (s *Service) put(b *bucket, key string, kept map[string]string, body []byte, forbidOverwrite bool) (*object, error) {
	if b.versioning == "" && b.objects[key] != nil && forbidOverwrite {
		return nil, errFileAlreadyExists()
	}
	sum := md5.Sum(body)
	o := &object{
		body: body, kept: kept, modified: s.w.Clock.Now(), etag: `"` + strings.ToUpper(hex.EncodeToString(sum[:])) + `"`,
		crc: strconv.FormatUint(crc64.Checksum(body, crcTable), 10),
	}
	s.add(b, key, o)
	return o, nil
}

// add makes o the current version. The caller holds the mutex.
func (s *Service) add(b *bucket, key string, o *object) {
	switch b.versioning {
	case "":
		b.objects[key] = nil
	case enabled:
		o.version = s.w.NewID("version-")
	case suspended:
		o.version = nullVersion
		b.drop(key, nullVersion)
	}
	b.objects[key] = append(b.objects[key], o)
}

const nullVersion = "null"

// drop takes one version away. What was written before the bucket had versioning is the
// version null.
func (b *bucket) drop(key, version string) {
	rest := slices.DeleteFunc(b.objects[key], func(o *object) bool { return cmp.Or(o.version, nullVersion) == version })
	if b.objects[key] = rest; len(rest) == 0 {
		delete(b.objects, key)
	}
}

// current is the version that is read without naming one; nil if there is none or it is a
// delete marker.
func (b *bucket) current(key string) *object {
	all := b.objects[key]
	if len(all) == 0 || all[len(all)-1].deleted {
		return nil
	}
	return all[len(all)-1]
}

// get reads one version; the current one if version is "". The caller holds the mutex.
func (b *bucket) get(key, version string) (found *object, err error) {
	if version == "" {
		if found = b.current(key); found == nil {
			return nil, errNoSuchKey()
		}
		return found, nil
	}
	for _, o := range b.objects[key] {
		if cmp.Or(o.version, nullVersion) == version {
			found = o
		}
	}
	switch {
	case found == nil:
		return nil, errNoSuchVersion()
	case found.deleted:
		return nil, errDeleteMarker()
	}
	return found, nil
}

// remove deletes one version, or, if version is "", the object: with versioning that
// writes a delete marker, which is returned. What is not there is deleted, too. The caller
// holds the mutex.
func (s *Service) remove(b *bucket, key, version string) (marker *object) {
	switch {
	case version != "":
		b.drop(key, version)
	case b.versioning == "":
		delete(b.objects, key)
	default:
		marker = &object{modified: s.w.Clock.Now(), deleted: true}
		s.add(b, key, marker)
	}
	return marker
}

// owner returns a bucket's account and region; ok is false when there is none.
func (s *Service) owner(name string) (account, region string, ok bool) {
	s.w.Lock()
	defer s.w.Unlock()
	if b := s.buckets[name]; b != nil {
		return b.account, b.region, true
	}
	return "", "", false
}

// Keys returns the names of a bucket's objects that begin with prefix, in order;
// none for a missing bucket.
func (s *Service) Keys(name, prefix string) (keys []string) {
	_ = s.on(name, func(b *bucket) error {
		keys = b.keys(prefix)
		return nil
	})
	return keys
}

func (b *bucket) keys(prefix string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(b.objects)), func(k string) bool { return !strings.HasPrefix(k, prefix) || b.current(k) == nil })
}

// Object returns what an object holds; nil for a missing one.
func (s *Service) Object(name, key string) (body []byte) {
	_ = s.on(name, func(b *bucket) error {
		if o := b.current(key); o != nil {
			body = slices.Clone(o.body)
		}
		return nil
	})
	return body
}

// Replace puts an object into a bucket from behind, over one that is there.
func (s *Service) Replace(name, key string, body []byte) error {
	return s.on(name, func(b *bucket) error {
		_, err := s.put(b, key, map[string]string{"Content-Type": "application/json"}, body, false)
		return err
	})
}

// Remove takes an object out of a bucket from behind, as its life cycle does.
func (s *Service) Remove(name, key string) {
	_ = s.on(name, func(b *bucket) error {
		delete(b.objects, key)
		return nil
	})
}

// Drop takes a bucket away with all that is in it, as its owner does in the console.
func (s *Service) Drop(name string) {
	s.w.Lock()
	defer s.w.Unlock()
	delete(s.buckets, name)
}

// State is the digest of each object by bucket and name.
func (s *Service) State() any {
	s.w.Lock()
	defer s.w.Unlock()
	out := map[string]map[string]string{}
	for name, b := range s.buckets {
		out[name] = map[string]string{}
		for _, key := range b.keys("") {
			sum := sha256.Sum256(b.current(key).body)
			out[name][key] = hex.EncodeToString(sum[:])
		}
	}
	return out
}

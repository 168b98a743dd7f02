package oss

import (
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

	"fleetwarden/test/simcloud"
)

// Service holds buckets and objects.
type Service struct {
	w       *simcloud.World
	buckets map[string]*bucket // names are unique over all accounts
}

type bucket struct {
	account, region string
	objects         map[string]*object
}

type object struct {
	body     []byte
	etag     string
	crc      string
	kind     string // Content-Type
	modified time.Time
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

// CreateBucket makes a bucket. One that the account has already is left as it is.
func (s *Service) CreateBucket(account, region, name string) error {
	s.w.Lock()
	defer s.w.Unlock()
	if !bucketName.MatchString(name) {
		return errInvalidBucketName()
	}
	if have := s.buckets[name]; have != nil {
		if have.account == account && have.region == region {
			return nil
		}
		return errBucketAlreadyExists()
	}
	s.buckets[name] = &bucket{account, region, map[string]*object{}}
	return nil
}

// crcTable is the polynomial of x-oss-hash-crc64ecma.
var crcTable = crc64.MakeTable(crc64.ECMA)

func (s *Service) put(name, key, kind string, body []byte, forbidOverwrite bool) (*object, error) {
	s.w.Lock()
	defer s.w.Unlock()
	b := s.buckets[name]
	if b == nil {
		return nil, errNoSuchBucket(name)
	}
	if b.objects[key] != nil && forbidOverwrite {
		return nil, errFileAlreadyExists()
	}
	sum := md5.Sum(body)
	o := &object{
		body: body, kind: kind, modified: s.w.Clock.Now(), etag: `"` + strings.ToUpper(hex.EncodeToString(sum[:])) + `"`,
		crc: strconv.FormatUint(crc64.Checksum(body, crcTable), 10),
	}
	b.objects[key] = o
	return o, nil
}

func (s *Service) get(name, key string) (*object, error) {
	s.w.Lock()
	defer s.w.Unlock()
	b := s.buckets[name]
	if b == nil {
		return nil, errNoSuchBucket(name)
	}
	if o := b.objects[key]; o != nil {
		return o, nil // objects are replaced, never changed
	}
	return nil, errNoSuchKey()
}

// remove deletes an object; one that is not there is deleted, too.
func (s *Service) remove(name, key string) error {
	s.w.Lock()
	defer s.w.Unlock()
	b := s.buckets[name]
	if b == nil {
		return errNoSuchBucket(name)
	}
	delete(b.objects, key)
	return nil
}

// owner tells whose a bucket is and where; ok is false when there is none.
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
func (s *Service) Keys(name, prefix string) []string {
	s.w.Lock()
	defer s.w.Unlock()
	b := s.buckets[name]
	if b == nil {
		return nil
	}
	return b.keys(prefix)
}

func (b *bucket) keys(prefix string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(b.objects)), func(k string) bool { return !strings.HasPrefix(k, prefix) })
}

// Object returns what an object holds; nil for a missing one.
func (s *Service) Object(name, key string) []byte {
	o, err := s.get(name, key)
	if err != nil {
		return nil
	}
	return slices.Clone(o.body)
}

// Replace puts an object into a bucket from behind, over one that is there.
func (s *Service) Replace(name, key string, body []byte) error {
	_, err := s.put(name, key, "application/json", body, false)
	return err
}

// State is the digest of each object by bucket and name.
func (s *Service) State() any {
	s.w.Lock()
	defer s.w.Unlock()
	out := map[string]map[string]string{}
	for name, b := range s.buckets {
		out[name] = map[string]string{}
		for key, o := range b.objects {
			sum := sha256.Sum256(o.body)
			out[name][key] = hex.EncodeToString(sum[:])
		}
	}
	return out
}

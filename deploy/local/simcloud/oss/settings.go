package oss

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"slices"

	"fleetwarden/deploy/local/simcloud/wire"
)

// setting is a document that a bucket has under a sub-resource: written, shown as it was
// written, and deleted.
type setting struct {
	name, root string                     // of the APIs, as GetBucket<name>; of the document, empty if it can only be read
	missing    func() ([]byte, error)     // what a bucket without it answers
	check      func(d *xml.Decoder) error // nil for any
}

// settings are the documents by the sub-resource. Codes: the pages of the APIs. What would
// change how a bucket answers can only be read: Terraform asks for it of every bucket.
func settings() map[string]setting {
	return map[string]setting{
		"lifecycle":         {"Lifecycle", "LifecycleConfiguration", without("NoSuchLifecycle"), checkLifecycle},
		"encryption":        {"Encryption", "ServerSideEncryptionRule", without("NoSuchServerSideEncryptionRule"), checkEncryption},
		"publicAccessBlock": {"PublicAccessBlock", "PublicAccessBlockConfiguration", without("NoSuchPublicAccessBlockConfiguration"), checkBlock},
		"tagging":           {"Tagging", "Tagging", with(`<Tagging><TagSet></TagSet></Tagging>`), nil},

		"cors":                 {"Cors", "", without("NoSuchCORSConfiguration"), nil},
		"policy":               {"Policy", "", without("NoSuchBucketPolicy"), nil},
		"website":              {"Website", "", without("NoSuchWebsiteConfiguration"), nil},
		"transferAcceleration": {"TransferAcceleration", "", without("NoSuchTransferAccelerationConfiguration"), nil},
		"logging":              {"Logging", "", with(`<BucketLoggingStatus></BucketLoggingStatus>`), nil},
		"resourceGroup": {"ResourceGroup", "", with(
			`<BucketResourceGroupConfiguration><ResourceGroupId>rg-default-id</ResourceGroupId></BucketResourceGroupConfiguration>`), nil},
		"referer": {"Referer", "", with(
			`<RefererConfiguration><AllowEmptyReferer>true</AllowEmptyReferer><RefererList></RefererList></RefererConfiguration>`), nil},
	}
}

// without is the answer of a bucket that lacks a setting; with, of one that always has it.
func without(code string) func() ([]byte, error) {
	return func() ([]byte, error) { return nil, wire.Errorf(404, code, "The bucket has no such setting.") }
}

func with(document string) func() ([]byte, error) {
	return func() ([]byte, error) { return []byte(xml.Header + document), nil }
}

func checkLifecycle(d *xml.Decoder) error {
	var in struct{ Rule []struct{ Status string } }
	if err := d.Decode(&in); err != nil || len(in.Rule) == 0 {
		return errMalformedXML()
	}
	for _, r := range in.Rule {
		if r.Status != "Enabled" && r.Status != "Disabled" {
			return errMalformedXML()
		}
	}
	return nil
}

func checkEncryption(d *xml.Decoder) error {
	var in struct {
		ApplyServerSideEncryptionByDefault struct{ SSEAlgorithm string }
	}
	if err := d.Decode(&in); err != nil || !slices.Contains([]string{"AES256", "KMS", "SM4"}, in.ApplyServerSideEncryptionByDefault.SSEAlgorithm) {
		return errMalformedXML()
	}
	return nil
}

func checkBlock(d *xml.Decoder) error {
	var in struct{ BlockPublicAccess string }
	if err := d.Decode(&in); err != nil || in.BlockPublicAccess != "true" && in.BlockPublicAccess != "false" {
		return errMalformedXML()
	}
	return nil
}

// withSettings adds the operations on the settings.
func withSettings(all map[string]operation) map[string]operation {
	for name, s := range settings() {
		for method, verb := range map[string]string{http.MethodGet: "Get", http.MethodPut: "Put", http.MethodDelete: "Delete"} {
			if api := verb + "Bucket" + s.name; verb == "Get" || s.root != "" {
				all[method+" bucket?"+name] = operation{api, "oss:" + api, []string{name}, nil, func(_ *Handler, r *request, b *bucket) (answer, error) {
					return b.set(r, name, s)
				}}
			}
		}
	}
	return all
}

// set carries out what a request asks of a setting.
func (b *bucket) set(r *request, name string, s setting) (answer, error) {
	switch r.Method {
	case http.MethodPut:
		if err := s.valid(r.body); err != nil {
			return answer{}, err
		}
		b.settings[name] = slices.Clone(r.body)
		return answer{status: http.StatusOK}, nil
	case http.MethodDelete:
		delete(b.settings, name)
		return answer{status: http.StatusNoContent}, nil
	}
	doc, ok := b.settings[name]
	var err error
	if !ok {
		doc, err = s.missing()
	}
	return answer{status: http.StatusOK, object: doc, header: map[string]string{"Content-Type": "application/xml"}}, err
}

// valid reports whether a document is XML with the setting's root.
func (s setting) valid(body []byte) error {
	for d := xml.NewDecoder(bytes.NewReader(body)); ; {
		token, err := d.Token()
		if begin, ok := token.(xml.StartElement); ok && begin.Name.Local != s.root {
			return errMalformedXML()
		}
		if _, ok := token.(xml.StartElement); ok {
			break
		}
		if err != nil {
			return errMalformedXML()
		}
	}
	d := xml.NewDecoder(bytes.NewReader(body))
	if s.check != nil {
		return s.check(d)
	}
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return errMalformedXML()
		}
	}
}

// owned is the owner of a bucket in a document.
type owned struct{ ID, DisplayName string }

// grant is an access control list.
type grant struct{ Grant string }

type aclDocument struct {
	XMLName           xml.Name `xml:"AccessControlPolicy"`
	Owner             owned
	AccessControlList grant
}

// acl is private until it is set. The caller holds the mutex.
func (b *bucket) acl() string { return cmp.Or(b.access, "private") }

// blocked reports whether public access is blocked. The caller holds the mutex.
func (b *bucket) blocked() bool {
	return bytes.Contains(b.settings["publicAccessBlock"], []byte(">true<"))
}

func (h *Handler) getACL(_ *request, b *bucket) (answer, error) {
	return answer{status: http.StatusOK, doc: aclDocument{Owner: owned{b.account, b.account}, AccessControlList: grant{b.acl()}}}, nil
}

func (h *Handler) putACL(r *request, b *bucket) (answer, error) {
	access := r.Header.Get("x-oss-acl")
	if err := checkACL(access); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK}, b.setACL(access)
}

func checkACL(access string) error {
	if !slices.Contains([]string{"private", "public-read", "public-read-write"}, access) {
		return wire.Errorf(400, "InvalidArgument", "no such bucket acl")
	}
	return nil
}

func (b *bucket) setACL(access string) error {
	if b.blocked() && access != "private" {
		return wire.Errorf(403, "AccessDenied", "Put public bucket acl is not allowed")
	}
	b.access = access
	return nil
}

type infoDocument struct {
	XMLName xml.Name `xml:"BucketInfo"`
	Bucket  struct {
		BlockPublicAccess                            bool
		CreationDate                                 string
		DataRedundancyType                           string
		ExtranetEndpoint, IntranetEndpoint, Location string
		Name, StorageClass                           string
		Versioning                                   string `xml:",omitempty"`
		Owner                                        owned
		AccessControlList                            grant
		ServerSideEncryptionRule                     struct{ SSEAlgorithm string }
	}
}

// getInfo shows a bucket and what it is set to, in one.
func (h *Handler) getInfo(r *request, b *bucket) (answer, error) {
	var d infoDocument
	x := &d.Bucket
	x.BlockPublicAccess, x.CreationDate, x.DataRedundancyType = b.blocked(), b.created.UTC().Format("2006-01-02T15:04:05.000Z"), "LRS"
	x.Location = "oss-" + b.region
	x.ExtranetEndpoint, x.IntranetEndpoint = x.Location+".aliyuncs.com", x.Location+"-internal.aliyuncs.com"
	x.Name, x.StorageClass, x.Versioning = r.at.bucket, "Standard", b.versioning
	x.Owner, x.AccessControlList.Grant = owned{b.account, b.account}, b.acl()
	x.ServerSideEncryptionRule.SSEAlgorithm = b.algorithm()
	return answer{status: http.StatusOK, doc: d}, nil
}

// algorithm is how objects are encrypted that do not say. The caller holds the mutex.
func (b *bucket) algorithm() string {
	var in struct {
		ApplyServerSideEncryptionByDefault struct{ SSEAlgorithm string }
	}
	if doc, ok := b.settings["encryption"]; !ok || xml.Unmarshal(doc, &in) != nil {
		return "None"
	}
	return in.ApplyServerSideEncryptionByDefault.SSEAlgorithm
}

// Package meta holds the parameter facts of the APIs that simcloud serves: which
// actions a product has, which parameters an action takes, of which type, which
// are required, and how many ids one call may carry.
//
// The files below openapi are copied from Alibaba Cloud's published metadata
// (aliyun/aliyun-openapi-meta, commit 2563691c2 of 2026-04-21; KMS's secrets of 0e8633d0f and
// 729c29661, dm.json of 01903f0e1): data, one action a line. What that metadata lacks stands in
// required.go, withdrawn.go and batch.go, each with its source. cms.json and mns-open.json are
// of the request structs of alibaba-cloud-sdk-go v1.63.107 instead, the latter with DlqPolicy,
// QueueType and tags as the Terraform provider sends them; of those structs are also
// ClientToken of EventBridge's buses, which the provider sends, and EventBridge's two APIs
// about traces, with what their help pages (2026) add. No behaviour of a product lives here.
package meta

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"
)

//go:embed openapi/*.json
var files embed.FS

// Product is one product in one version.
type Product struct {
	// Code is the product in lower case, such as ecs; event types begin with it.
	Code string
	// Name is the product as ActionTrail's serviceName writes it, such as Ecs.
	Name    string
	Version string
	// Global products have one endpoint for all regions.
	Global  bool
	Actions map[string]*Action
}

// Action is one API and its parameters.
type Action struct {
	Name string
	// Method and Path are of the APIs that are addressed by path, such as GET and
	// /2023-03-30/functions/[functionName]; empty for RPC.
	Method  string  `json:"method"`
	Path    string  `json:"path"`
	Params  []Param `json:"parameters"`
	Batches []Batch `json:"-"`
	// Body is the request's body, of an API with a path; nil for none.
	Body *Param `json:"-"`
}

// Param is one parameter. Type is String, Integer, Long, Float, Boolean, Json,
// RepeatList (Name.1, Name.2, …), Array or Struct (Name.Field).
type Param struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Required bool   `json:"required"`
	// Position is Path, Header, Body or FormData; empty for the query.
	Position string `json:"position"`
	// Withdrawn: it is announced for removal, or does nothing any more.
	Withdrawn bool    `json:"-"`
	Sub       []Param `json:"sub_parameters"`
}

// Table is all products by version. Versions are dates, and no two of our
// products share one, so a request names its product by its version.
type Table struct {
	byVersion map[string]*Product
	byCode    map[string]*Product
}

// Load reads the embedded facts.
func Load() (*Table, error) {
	t := &Table{byVersion: map[string]*Product{}, byCode: map[string]*Product{}}
	for _, p := range products() {
		if err := p.load(); err != nil {
			return nil, fmt.Errorf("loading facts of %s: %w", p.Code, err)
		}
		t.byVersion[p.Version] = p
		t.byCode[p.Code] = p
	}
	return t, nil
}

func products() []*Product {
	return []*Product{
		{Code: "ecs", Name: "Ecs", Version: "2014-05-26"},
		{Code: "ram", Name: "Ram", Version: "2015-05-01", Global: true},
		{Code: "sts", Name: "Sts", Version: "2015-04-01", Global: true},
		{Code: "kms", Name: "Kms", Version: "2016-01-20"},
		{Code: "sas", Name: "Sas", Version: "2018-12-03", Global: true},
		{Code: "actiontrail", Name: "Actiontrail", Version: "2020-07-06"},
		{Code: "eventbridge", Name: "Eventbridge", Version: "2020-04-01"},
		{Code: "fc", Name: "Fc", Version: "2023-03-30"},
		{Code: "cms", Name: "Cms", Version: "2019-01-01"},
		{Code: "dm", Name: "Dm", Version: "2015-11-23"},
		{Code: "mns-open", Name: "Mns", Version: "2022-01-19"},
		{Code: "resourcesharing", Name: "ResourceSharing", Version: "2020-01-10"},
		{Code: "resourcemanager", Name: "ResourceManager", Version: "2020-03-31", Global: true},
	}
}

func (p *Product) load() error {
	b, err := files.ReadFile("openapi/" + p.Code + ".json")
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, p); err != nil {
		return err
	}
	maxima, needed, gone := batches(), required(), withdrawn()
	for name, a := range p.Actions {
		a.Name = name
		a.takeBody()
		a.Batches = maxima[p.Code+":"+name]
		for _, mark := range []struct {
			names string
			set   func(*Param)
		}{
			{needed[p.Code+":"+name], func(q *Param) { q.Required = true }},
			{gone[p.Code+":"+name], func(q *Param) { q.Withdrawn = true }},
		} {
			for _, q := range strings.Fields(mark.names) {
				found, ok := find(a.Params, q)
				if !ok {
					return fmt.Errorf("%s has no parameter %s", name, q)
				}
				mark.set(found)
			}
		}
	}
	return nil
}

// Version returns the product of an API version.
func (t *Table) Version(version string) (*Product, bool) {
	p, ok := t.byVersion[version]
	return p, ok
}

// Product returns a product by its code.
func (t *Table) Product(code string) (*Product, bool) {
	p, ok := t.byCode[code]
	return p, ok
}

// Write reports whether the action changes something, judged by its name, as
// the vendor names its APIs.
func (a *Action) Write() bool {
	for _, p := range []string{"Describe", "List", "Get", "Lookup", "Query"} {
		if strings.HasPrefix(a.Name, p) {
			return false
		}
	}
	return true
}

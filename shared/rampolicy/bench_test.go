package rampolicy_test

import (
	"os"
	"testing"

	"fleetwarden/shared/rampolicy"
)

// A role's typical policies: the trusted system's, and one of the instance's
// own work.
func typical() []string {
	return []string{
		rampolicy.SysTrustPolicy(),
		`{"Version":"1","Statement":[{"Effect":"Allow","Action":["oss:Get*","oss:List*"],"Resource":["acs:oss:*:*:config","acs:oss:*:*:config/*"]},
		{"Effect":"Deny","Action":"oss:*","Resource":"*","Condition":{"Bool":{"acs:SecureTransport":"false"}}}]}`,
	}
}

func BenchmarkParseAndGrants(b *testing.B) {
	texts := typical()
	b.ReportAllocs()
	for b.Loop() {
		docs := make([]*rampolicy.Document, len(texts))
		for i, text := range texts {
			doc, err := rampolicy.Parse(text)
			if err != nil {
				b.Fatal(err)
			}
			docs[i] = doc
		}
		if rampolicy.Grants(docs, rampolicy.SysTrustActions(), "*") != rampolicy.Allowed {
			b.Fatal("not allowed")
		}
	}
}

func BenchmarkEvaluate(b *testing.B) {
	var docs []*rampolicy.Document
	for _, text := range typical() {
		docs = append(docs, policy(b, text))
	}
	request := rampolicy.Request{Action: "yundun-systrust:PutMessage", Resource: "*"}
	b.ReportAllocs()
	for b.Loop() {
		if rampolicy.Evaluate(docs, request) != rampolicy.Allowed {
			b.Fatal("not allowed")
		}
	}
}

func BenchmarkParseTrustAndMerge(b *testing.B) {
	text, err := os.ReadFile("testdata/trusts/legal/foreign.json")
	if err != nil {
		b.Fatal(err)
	}
	sharees := rampolicy.Sharees{Directories: []string{"rd-1"}}
	b.ReportAllocs()
	for b.Loop() {
		parsed, err := rampolicy.ParseTrust(string(text))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := parsed.Merge(sharees); err != nil {
			b.Fatal(err)
		}
	}
}

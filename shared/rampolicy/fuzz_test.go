package rampolicy_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/rampolicy"
)

func seed(f *testing.F, folders ...string) {
	for _, folder := range folders {
		for _, file := range read(f, folder) {
			f.Add(file)
			_, doc, _ := strings.Cut(file, "\n")
			f.Add(doc)
		}
	}
	f.Add(rampolicy.SysTrustPolicy())
	f.Add(rampolicy.ECSTrust())
}

// saysAllow reports whether some string of a JSON value is "Allow".
func saysAllow(value any) bool {
	switch v := value.(type) {
	case string:
		return v == "Allow"
	case []any:
		for _, item := range v {
			if saysAllow(item) {
				return true
			}
		}
	case map[string]any:
		for _, item := range v {
			if saysAllow(item) {
				return true
			}
		}
	}
	return false
}

func FuzzParse(f *testing.F) {
	seed(f, "policies/legal", "policies/broken")
	f.Fuzz(func(t *testing.T, text string) {
		doc, err := rampolicy.Parse(text)
		if (doc == nil) != (err != nil) {
			t.Fatalf("got %v and %v", doc, err)
		}
		docs := []*rampolicy.Document{doc}
		answer := rampolicy.Evaluate(docs, rampolicy.Request{Action: "ecs:RunInstances", Resource: "acs:ecs:cn-hangzhou:1:instance/i-1"})
		broad := rampolicy.OverBroad(docs)
		if err != nil {
			if answer != rampolicy.Unsure || len(broad) != 1 {
				t.Errorf("unread: %v, %q", answer, broad)
			}
			return
		}
		var value any
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			t.Fatalf("read what is not JSON: %v", err)
		}
		if !saysAllow(value) && (answer != rampolicy.Denied || broad != nil) {
			t.Errorf("nothing is allowed, but %v, %q", answer, broad)
		}
		if !doc.Equal(doc) {
			t.Error("does not equal itself")
		}
	})
}

func FuzzTrust(f *testing.F) {
	seed(f, "trusts/legal", "trusts/broken")
	sharees := rampolicy.Sharees{
		Accounts:    []fleet.AccountID{"1000000000000007"},
		Directories: []string{"rd-Fuzz"},
		Folders:     []string{"rd-Fuzz/r-1/fd-1"},
	}
	f.Fuzz(func(t *testing.T, text string) {
		was, err := rampolicy.ParseTrust(text)
		if err != nil {
			return
		}
		checkPrint(t, was)
		checkNamed(t, was, text)
		for _, change := range []func(rampolicy.Sharees) (*rampolicy.Trust, error){was.Merge, was.Add, was.Subtract} {
			changed, err := change(sharees)
			if err != nil {
				return // it grew over the size that is read
			}
			checkPrint(t, changed)
		}
		merged, err := was.Merge(sharees)
		if err != nil {
			t.Fatal(err)
		}
		undone, err := merged.Subtract(sharees.Without(was.Sharees()))
		if err != nil || !undone.Equal(was) {
			t.Errorf("merging cannot be undone: %v", err)
		}
	})
}

// checkNamed asks for some services: one that may assume the role has to be a sharee of the
// three forms, or among the others; if it is neither, it must not be allowed.
func checkNamed(t *testing.T, was *rampolicy.Trust, text string) {
	t.Helper()
	others := was.Others()
	if !was.Sharees().Empty() || len(others) > 0 {
		return
	}
	for _, service := range []string{"ecs.aliyuncs.com", "fc.aliyuncs.com", "1000000000000009@ecs.aliyuncs.com"} {
		if was.TrustsService(service) == rampolicy.Allowed {
			t.Errorf("%s is let in, and nothing names it: %s", service, text)
		}
	}
}

// checkPrint reads the printed document; a document that is not printed must be one that
// may not be written.
func checkPrint(t *testing.T, was *rampolicy.Trust) {
	t.Helper()
	text, err := was.Print()
	if err != nil {
		if !errors.Is(err, rampolicy.ErrWildcard) && !errors.Is(err, rampolicy.ErrEmpty) {
			t.Errorf("printing: %v", err)
		}
		return
	}
	again, err := rampolicy.ParseTrust(text)
	if err != nil {
		t.Fatalf("printed what cannot be read: %v\n%s", err, text)
	}
	if !again.Equal(was) || len(again.UnconditionalWildcards()) > 0 {
		t.Errorf("printed another meaning: %s", text)
	}
	if stranger := again.TrustsService("31415926535@ecs.aliyuncs.com"); stranger == rampolicy.Allowed && !strings.Contains(strings.ToLower(text), "31415926535@") {
		t.Errorf("trusts a stranger: %s", text)
	}
}

package meta_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud/meta"
)

func TestAPathNamesItsAPI(t *testing.T) {
	table, err := meta.Load()
	if err != nil {
		t.Fatal(err)
	}
	p, _ := table.Product("fc")
	for _, x := range []struct {
		method, path, api string
		params            map[string]string
	}{
		{"GET", "/2023-03-30/functions", "ListFunctions", map[string]string{}},
		{"GET", "/2023-03-30/functions/a%2Fb", "GetFunction", map[string]string{"functionName": "a/b"}},
		{"PUT", "/2023-03-30/functions/f/triggers/t", "UpdateTrigger", map[string]string{"functionName": "f", "triggerName": "t"}},
		{"POST", "/2023-03-30/functions/f/invoke/disable", "DisableFunctionInvocation", map[string]string{"functionName": "f"}},
		{"GET", "/2023-03-30/functions/", "", nil}, {"GET", "/2023-03-30/functions//triggers", "", nil},
		{"GET", "/2023-03-30/functions/%zz", "", nil}, {"DELETE", "/2023-03-30/functions", "", nil}, {"GET", "/", "", nil},
	} {
		a, params, ok := p.Route(x.method, x.path)
		got := ""
		if ok {
			got = a.Name
		}
		if diff := cmp.Diff(x.params, params); got != x.api || diff != "" {
			t.Errorf("%s %s: got %q, want %q%s", x.method, x.path, got, x.api, diff)
		}
	}
}

package policy_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"fleetwarden/shared/policy"
)

func FuzzLoad(f *testing.F) {
	for _, c := range slices.Concat(goodFiles, badFiles) {
		f.Add([]byte(c.file))
	}
	for _, name := range []string{"../../deploy/policy.yaml", "../../deploy/local/policy.yaml"} {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add([]byte(uncommented(string(data))))
		f.Add(mustLoadFile(f, name).JSON())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := policy.Load("p.yaml", data)
		// A comment leaves JSON to the YAML parser.
		if byYAML, err2 := policy.Load("p.yaml", append(data[:len(data):len(data)], "\n#"...)); err == nil && len(data) < policy.MaxSize-2 {
			if diff := cmp.Diff(p, byYAML, cmpopts.EquateEmpty(), zones); err2 != nil || diff != "" {
				t.Errorf("the YAML parser reads something else: %v\n%s", err2, diff)
			}
		}
		if err != nil {
			checkProblems(t, err, data)
			return
		}
		again, err := policy.Load("again.json", p.JSON())
		if err != nil {
			t.Fatalf("its own JSON is refused: %v\n%s", err, p.JSON())
		}
		if diff := cmp.Diff(p, again, cmpopts.EquateEmpty(), zones); diff != "" {
			t.Errorf("its own JSON means something else (-file +JSON):\n%s", diff)
		}
	})
}

func checkProblems(t *testing.T, err error, data []byte) {
	t.Helper()
	var problems policy.Problems
	if !errors.As(err, &problems) || len(problems) == 0 {
		t.Fatalf("error %T %v, want policy.Problems", err, err)
	}
	lines := 2 // YAML ends lines in more ways than one, and may miss what comes after the last
	for _, r := range string(data) {
		if strings.ContainsRune("\n\r\u0085\u2028\u2029", r) {
			lines++
		}
	}
	for _, p := range problems {
		if p.File != "p.yaml" || p.Line < 1 || p.Column < 1 || p.Line > lines || p.Message == "" {
			t.Errorf("a problem without its place: %+v", p)
		}
	}
	if !slices.IsSortedFunc(problems, func(a, b policy.Problem) int { return a.Line - b.Line }) {
		t.Errorf("problems out of order:\n%v", problems)
	}
}

// BenchmarkLoad reads the policy as a function does at its cold start.
func BenchmarkLoad(b *testing.B) {
	file := mustLoadFile(b, "../../deploy/policy.yaml").JSON()
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := policy.Load("policy.json", file); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMayChange asks what each instance of a sweep is asked.
func BenchmarkMayChange(b *testing.B) {
	p := mustLoad(b, "version: 1\ncontrols: {agent: {include: [{tags: {env: prod}}, {managed: [ack]}], exclude: [{vpcs: [vpc-9]}]}}")
	b.ReportAllocs()
	for b.Loop() {
		p.Agent.MayChange(hangzhou, plain)
	}
}

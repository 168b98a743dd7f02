package plan_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/operate/plan"
	"fleetwarden/shared/operate/sweep"
	"fleetwarden/shared/policy"
)

const (
	role  = policy.ControlInstanceRole
	agent = policy.ControlAgent
)

func TestAPlanIsReadAsItWasSaved(t *testing.T) {
	store := ledger.NewFolder(t.TempDir())
	p := made(t, drifted(hangzhou, role, "i-1", ensure(hangzhou), attach(hangzhou, "i-1")), drifted(shanghai, agent, "i-2", push(shanghai, "i-2")))
	if err := plan.Save(t.Context(), store, p); err != nil {
		t.Fatal(err)
	}
	got, err := plan.Open(t.Context(), store, p.ID)
	if diff := cmp.Diff(p, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	if got.Policy != "digest" || got.Sweep != found().Start.Run || len(got.Seen) != 3 {
		t.Errorf("it does not say what it was made from: %+v", got)
	}
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	const other = "plan-20260105T080910Z-abcdef"
	if err := store.Put(t.Context(), "plans/"+other+".json", text); err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Open(t.Context(), store, other); err == nil || !strings.Contains(err.Error(), "it was edited") {
		t.Errorf("a plan under the name of another: got %v", err)
	}
}

func TestAPlanThatIsNotThereIsNotFoundAndANameThatIsNoneIsRefused(t *testing.T) {
	store := ledger.NewFolder(t.TempDir())
	if _, err := plan.Open(t.Context(), store, "plan-20260105T080910Z-abcdef"); fleet.ClassOf(err) != fleet.NotFound {
		t.Errorf("got %v", err)
	}
	for _, id := range []string{"", "plan-", "sweep-1", "plan-../../x", "plan-" + strings.Repeat("x", 61)} {
		if _, err := plan.Open(t.Context(), store, id); err == nil || fleet.ClassOf(err) == fleet.NotFound {
			t.Errorf("%q: got %v", id, err)
		}
	}
}

func TestAPlanTakesWhatTheFilterNames(t *testing.T) {
	all := []sweep.Drifted{
		drifted(hangzhou, role, "i-1", attach(hangzhou, "i-1")), drifted(hangzhou, agent, "i-1", push(hangzhou, "i-1")),
		drifted(shanghai, role, "i-2", attach(shanghai, "i-2")), drifted(member, role, "i-3", attach(member, "i-3")),
	}
	for name, c := range map[string]struct {
		filter plan.Filter
		want   []string
	}{
		"all":       {plan.Filter{}, []string{"i-1", "i-1", "i-2", "i-3"}},
		"accounts":  {plan.Filter{Accounts: []fleet.AccountID{member.Account}}, []string{"i-3"}},
		"regions":   {plan.Filter{Regions: []fleet.Region{"cn-shanghai"}}, []string{"i-2"}},
		"controls":  {plan.Filter{Controls: []string{agent}}, []string{"i-1"}},
		"ids":       {plan.Filter{IDs: []string{"i-2", "i-3"}}, []string{"i-2", "i-3"}},
		"each part": {plan.Filter{Controls: []string{role}, IDs: []string{"i-1"}}, []string{"i-1"}},
		"nothing":   {plan.Filter{Regions: []fleet.Region{"mars"}}, nil},
	} {
		p, err := plan.New(found(), each(all, nil), c.filter, noon)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, item := range p.Items {
			got = append(got, item.ID)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestNoPlanIsMadeOfDriftThatCannotBeReadOrIsTooMuch(t *testing.T) {
	if _, err := plan.New(found(), each([]sweep.Drifted{drifted(hangzhou, role, "i-1")}, errBroken), plan.Filter{}, noon); !errors.Is(err, errBroken) {
		t.Errorf("got %v", err)
	}
	all := make([]sweep.Drifted, plan.MaxItems+1)
	for i := range all {
		all[i] = drifted(hangzhou, role, fmt.Sprint("i-", i))
	}
	if _, err := plan.New(found(), each(all, nil), plan.Filter{}, noon); err == nil || !strings.Contains(err.Error(), "50000") {
		t.Errorf("got %v", err)
	}
	if _, err := plan.New(found(), each(all[1:], nil), plan.Filter{}, noon); err != nil {
		t.Errorf("the most that is allowed: %v", err)
	}
}

func TestTextThatIsNoPlanIsRefusedWithAReason(t *testing.T) {
	for text, want := range map[string]string{
		"":                     "not a plan",
		"[]":                   "not a plan",
		"{}":                   "no version",
		`{"v":2,"later":true}`: "version 2 is newer",
		`{"v":1}`:              "edited",
		`{"v":1,"x":1}`:        "edited",
	} {
		if _, err := plan.Decode([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

// TestAnEditedPlanIsRefused edits one value of a plan, adds a member to one of its
// objects, or doubles one of its lists.
func TestAnEditedPlanIsRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyPlan(t)
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := plan.Decode(text); err != nil {
			t.Fatalf("as it is: %v", err)
		}
		var tree any
		if err := json.Unmarshal(text, &tree); err != nil {
			t.Fatal(err)
		}
		edits := 0
		walk(tree, func() { edits++ })
		left := rapid.IntRange(0, edits-1).Draw(t, "edit")
		walk(tree, func() {
			if left--; left >= 0 {
				return
			}
			left = edits
			edited, err := json.Marshal(tree)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := plan.Decode(edited); err == nil {
				t.Fatalf("it was taken:\n%s\n%s", text, edited)
			}
		})
	})
}

func anyPlan(t *rapid.T) plan.Plan {
	word := rapid.StringMatching(`[a-z0-9-]{1,8}`)
	var all []sweep.Drifted
	for range rapid.IntRange(1, 4).Draw(t, "items") {
		id := word.Draw(t, "id")
		c := attach(hangzhou, id)
		c.Before = word.Draw(t, "before")
		all = append(all, drifted(hangzhou, word.Draw(t, "control"), id, c))
	}
	p, err := plan.New(found(), each(all, nil), plan.Filter{}, noon)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// walk makes one edit after the other, calls edited, and takes it back.
func walk(node any, edited func()) {
	switch n := node.(type) {
	case map[string]any:
		n["added"] = 1
		edited()
		delete(n, "added")
		for _, k := range slices.Sorted(maps.Keys(n)) {
			v := n[k]
			n[k] = other(v)
			edited()
			n[k] = v
			walk(v, edited)
		}
	case []any:
		for i, v := range n {
			n[i] = other(v)
			edited()
			n[i] = v
			walk(v, edited)
		}
	}
}

// other is another value than v.
func other(v any) any {
	switch v := v.(type) {
	case string:
		return v + "x"
	case float64:
		return v + 1
	case []any:
		return slices.Concat(v, v)
	case map[string]any:
		return map[string]any{}
	}
	return "x"
}

func FuzzDecode(f *testing.F) {
	p := made(f, drifted(hangzhou, role, "i-1", ensure(hangzhou), attach(hangzhou, "i-1")))
	text, err := json.Marshal(p)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"v":1}`))
	f.Add([]byte(`{"v":9,"id":"plan-1"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := plan.Decode(text)
		if err != nil {
			return
		}
		again, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if q, err := plan.Decode(again); err != nil || !cmp.Equal(p, q) {
			t.Errorf("a plan that was taken is not taken again: %v\n%s", err, cmp.Diff(p, q))
		}
	})
}

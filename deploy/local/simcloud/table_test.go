package simcloud_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fleetwarden/deploy/local/simcloud"
)

func all(t *simcloud.Table[string], place uint64) (got []string) {
	for _, v := range t.After(place) {
		got = append(got, *v)
	}
	return got
}

func TestATableListsItsRowsInTheOrderTheyCame(t *testing.T) {
	var tab simcloud.Table[string]
	for _, id := range []string{"c", "a", "b"} {
		tab.Put(id, &id)
	}
	if diff := cmp.Diff([]string{"c", "a", "b"}, all(&tab, 0)); diff != "" {
		t.Error(diff)
	}
	if tab.Get("x") != nil || tab.Delete("x") {
		t.Error("a row that was never put is there")
	}
}

func TestAListingThatContinuesLosesAndRepeatsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var tab simcloud.Table[string]
		seen := map[string]int{}
		there := map[string]bool{} // all the time, since the listing began
		n := rapid.IntRange(1, 300).Draw(t, "rows")
		for i := range n {
			id := fmt.Sprint(i)
			tab.Put(id, &id)
			there[id] = true
		}
		var place uint64
		for more := true; more; {
			more = false
			left := rapid.IntRange(1, 40).Draw(t, "page")
			for p, v := range tab.After(place) {
				seen[*v]++
				place = p
				if left--; left == 0 {
					more = true
					break
				}
			}
			gone := fmt.Sprint(rapid.IntRange(0, n).Draw(t, "gone"))
			tab.Delete(gone)
			delete(there, gone)
		}
		for id := range there {
			if seen[id] != 1 {
				t.Fatalf("row %s was listed %d times", id, seen[id])
			}
		}
		if tab.Len() < len(there) {
			t.Fatalf("%d rows left, want at least %d", tab.Len(), len(there))
		}
	})
}

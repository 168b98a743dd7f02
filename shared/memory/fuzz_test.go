package memory_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/memory"
)

// Any object is a memory of its own shard, in order, or a *fleet.BadInput; both readers
// agree.
func FuzzObject(f *testing.F) {
	s := empty()
	s.leave(f, noon, nil, entry("i-1", "vpc", noon.AddDate(0, 0, -2)), entry("i-2", "image", noon))
	name := slices.Sorted(maps.Keys(s.objects))[0]
	f.Add(string(s.objects[name]))
	for _, text := range []string{"", "{}", "null", "[]", `{"v":1}`, `{"v":1,"entries":[{"id":"../../x","rule":"vpc"}]}`, `{"v":1e9}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := &store{objects: map[string][]byte{name: []byte(text)}}
		got, err := s.owner(noon).Found(t.Context(), here, []string{"i-1", "i-2", "i-3"})
		past, perr := memory.Load(t.Context(), s, here, run(noon))
		if err == nil && perr != nil || perr == nil && past == nil {
			t.Fatalf("an owner reads %v, %v; a sweep %v", got, err, perr)
		}
		if perr != nil {
			if fleet.ClassOf(perr).Passing() {
				t.Fatalf("waits for %v", perr)
			}
			return
		}
		defer past.Close()
		for _, id := range []string{"i-1", "i-2", "i-3"} {
			found, err2 := past.Found(id)
			if err2 != nil {
				t.Fatal(err2)
			}
			if !maps.EqualFunc(got[id], found, time.Time.Equal) && err == nil && whole(got[id]) {
				t.Fatalf("%s: an owner reads %v, a sweep %v", id, got[id], found)
			}
		}
	})
}

// whole reports whether times are of whole seconds, as sweeps write them.
func whole(found map[string]time.Time) bool {
	for _, first := range found {
		if first.Nanosecond() != 0 {
			return false
		}
	}
	return true
}

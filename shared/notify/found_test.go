package notify_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/notify"
)

// The class: the day in an id is one that some place on Earth had when the pass ended.
func TestTheIDOfWhatWasFoundIsOfItsDay(t *testing.T) {
	for id, want := range map[string]bool{
		"2026-12-01/20261201T020000.f.r":  true,
		"2026-12-01/20261130T100000.f.r":  true, // Kiritimati
		"2026-12-01/20261130T095959.f.r":  false,
		"2026-12-01/20261202T115959.f.r":  true, // Baker Island
		"2026-12-01/20261202T120000.f.r":  false,
		"2026-12-31/20261201T020000.f.r":  false,
		"2026-12-01/x.f.r":                false,
		"2026-12-32/20261201T020000.f.r":  false,
		"20261201T020000.f.r":             false,
		"../cards/20261201T020000.f.r":    false,
		"2026-12-01/../20261201T020000.f": false,
	} {
		if _, _, ok := notify.FoundIn(id); ok != want {
			t.Errorf("%s: %t", id, ok)
		}
	}
}

// However many resources there are, each counts once and the first of them are kept.
func TestAGroupCountsMoreThanItNames(t *testing.T) {
	var gs notify.Groups
	for i := range 12_000 {
		gs.Finding(fleet.FindingRecord{Control: "agent", Rule: "x", Outcome: fleet.Violation, Severity: fleet.High, Account: "1", ID: fmt.Sprintf("i-%05d", i)})
	}
	gs.Add(notify.Group{Control: "agent", Rule: "x", Severity: fleet.High, Account: "1", Count: 7})
	if g := gs.All()[0]; g.Count != 12_000 || len(g.IDs) != 10_000 || g.IDs[9_999] != "i-09999" {
		t.Errorf("counts %d, names %d", g.Count, len(g.IDs))
	}
}

// Two rules, accounts or severities never have one card.
func TestTheNamesOfCardsDiffer(t *testing.T) {
	seen := map[string]string{}
	for _, control := range []string{"", "agent"} {
		for _, rule := range []string{"x", "y"} {
			for _, account := range []fleet.AccountID{"1", "2"} {
				for _, severity := range fleet.Severities() {
					for _, change := range []fleet.ChangeKind{"", fleet.PushAgent} {
						g := notify.Group{Control: control, Rule: rule, Account: account, Severity: severity, Change: change}
						about := fmt.Sprint(control, rule, account, severity)
						if change != "" {
							about = fmt.Sprint(control, account, change)
						}
						key := g.CardKeys()[0]
						if other, ok := seen[key]; ok && other != about || strings.ContainsAny(key, "/") {
							t.Errorf("%s and %s have the card %s", other, about, key)
						}
						seen[key] = about
					}
				}
			}
		}
	}
}

// Whatever an object has, what is made of it can be stored, named in a message, and counted.
func FuzzFound(f *testing.F) {
	f.Add([]byte(`{"v":1,"groups":[{"control":"agent","rule":"agent-online","severity":"high","account":"1","ids":["i-1"],"count":2}]}`))
	f.Add([]byte(`{"v":1,"groups":[{"rule":"../x","change":"push-agent","ids":["b","a","a"],"count":-1}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		found, err := notify.DecodeFound("it", text)
		if err != nil {
			return
		}
		var gs notify.Groups
		for _, g := range found.Groups {
			gs.Add(g)
		}
		for _, g := range gs.All() {
			for _, key := range g.CardKeys() {
				id := notify.CardID("2026-12-01", strings.Repeat("c", 32), key)
				if _, _, got, ok := notify.CardIn(id); !ok || got != key || len(id) > 512 {
					t.Errorf("%q is no id", id)
				}
			}
			if g.Count < len(g.IDs) || !slices.IsSorted(g.IDs) {
				t.Errorf("counts %d: %q", g.Count, g.IDs)
			}
		}
	})
}

package fleet_test

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fleetwarden/shared/fleet"
)

var (
	here  = fleet.Scope{Account: "1000000000000001", Region: "cn-hangzhou"}
	there = fleet.Scope{Account: "1000000000000001", Region: "cn-shanghai"}
)

func instances(s fleet.Scope, n int) []fleet.Ref {
	out := make([]fleet.Ref, n)
	for i := range out {
		out[i] = fleet.Ref{Scope: s, Kind: fleet.KindInstance, ID: fmt.Sprintf("i-%03d", i)}
	}
	return out
}

// Functions of an old and a new version share their inboxes while they are rolled
// out: what the first version wrote has to be read for ever.
func TestTheBytesOfVersionOneAreStillRead(t *testing.T) {
	old, err := os.ReadFile("testdata/message-v1.json")
	if err != nil {
		t.Fatal(err)
	}
	var m fleet.Message
	if err := json.Unmarshal(old, &m); err != nil {
		t.Fatal(err)
	}
	call := &fleet.Call{EventID: "0B7C1F6E-0001", Name: "RunInstances", Type: "ApiCall", Time: "2026-11-20T08:15:31Z", Caller: "ram-user/alice",
		Launch: &fleet.Launch{InstanceType: "ecs.g7t.large", ImageID: "m-1", SystemDiskCategory: "cloud_essd", VSwitchID: "vsw-1", TrustedSystemMode: "vTPM",
			SecurityEnhancementStrategy: "Active", HTTPTokens: "required", LaunchTemplateID: "lt-1", HasUserData: true, Disks: []string{"d-1", "d-2"}, Amount: 2}}
	want := fleet.Message{V: 1, Scope: here, Kind: fleet.KindInstance, IDs: []string{"i-bp1a2b3c4d5e6f7g8h9i", "i-bp1a2b3c4d5e6f7g8h9j"}, Call: call,
		Try: 2, FirstSeen: time.Date(2026, 11, 20, 8, 16, 0, 0, time.UTC), Run: "live-20261120-081600"}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Error(diff)
	}
	refs := m.Refs()
	try := fleet.Try{N: 2, FirstSeen: want.FirstSeen, Run: want.Run}
	if len(refs) != 2 || refs[1].ID != want.IDs[1] || refs[1].Scope != here || refs[1].Try != try || refs[0].Call != refs[1].Call {
		t.Errorf("refs %+v", refs)
	}
}

func TestAMessageIsWrittenInVersionOne(t *testing.T) {
	ms := fleet.Messages([]fleet.Ref{{Scope: fleet.Scope{Account: here.Account}, Kind: fleet.KindRole, ID: "r", Try: fleet.Try{N: 1, FirstSeen: time.Unix(0, 0).UTC(), Run: "x"}}})
	got, err := json.Marshal(ms)
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"v":1,"scope":{"account":"1000000000000001"},"kind":"role","ids":["r"],"try":1,"firstSeen":"1970-01-01T00:00:00Z","run":"x"}]`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAMessageHoldsAtMostAHundredIDsInTheirOrder(t *testing.T) {
	ms := fleet.Messages(instances(here, 250))
	if len(ms) != 3 || len(ms[0].IDs) != 100 || len(ms[1].IDs) != 100 || len(ms[2].IDs) != 50 {
		t.Fatalf("%d messages", len(ms))
	}
	if ms[0].IDs[0] != "i-000" || ms[0].IDs[99] != "i-099" || ms[1].IDs[0] != "i-100" || ms[2].IDs[49] != "i-249" {
		t.Error("the order is lost")
	}
}

func TestRefsThatDifferInMoreThanTheirIDAreMessagesOfTheirOwn(t *testing.T) {
	call, since := &fleet.Call{Name: "RunInstances"}, time.Unix(1, 0)
	base := fleet.Ref{Scope: here, Kind: fleet.KindInstance, Call: call, Try: fleet.Try{N: 1, FirstSeen: since, Run: "a"}}
	for name, change := range map[string]func(*fleet.Ref){
		"scope":      func(r *fleet.Ref) { r.Scope = there },
		"kind":       func(r *fleet.Ref) { r.Kind = fleet.KindRole },
		"call":       func(r *fleet.Ref) { r.Call = &fleet.Call{Name: "RunInstances"} },
		"no call":    func(r *fleet.Ref) { r.Call = nil },
		"try":        func(r *fleet.Ref) { r.Try.N = 2 },
		"first seen": func(r *fleet.Ref) { r.Try.FirstSeen = since.Add(1) },
		"run":        func(r *fleet.Ref) { r.Try.Run = "b" },
	} {
		t.Run(name, func(t *testing.T) {
			other := base
			change(&other)
			// The two kinds come in turns, and yet make two messages.
			ms := fleet.Messages([]fleet.Ref{base, other, base, other})
			if len(ms) != 2 || len(ms[0].IDs) != 2 || len(ms[1].IDs) != 2 {
				t.Errorf("got %+v", ms)
			}
		})
	}
}

func TestNoRefsAreNoMessages(t *testing.T) {
	if ms := fleet.Messages(nil); len(ms) != 0 {
		t.Errorf("got %+v", ms)
	}
}

// Refs come back from the queue: each once, with all it had.
func TestPackingLosesNothing(t *testing.T) {
	calls := []*fleet.Call{nil, {Name: "a"}, {Name: "b"}}
	rapid.Check(t, func(t *rapid.T) {
		refs := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) fleet.Ref {
			return fleet.Ref{
				Scope: rapid.SampledFrom([]fleet.Scope{here, there}).Draw(t, "scope"),
				Kind:  rapid.SampledFrom([]fleet.Kind{fleet.KindInstance, fleet.KindRole, fleet.KindAccount}).Draw(t, "kind"),
				ID:    rapid.StringMatching(`[a-c]?`).Draw(t, "id"), Call: rapid.SampledFrom(calls).Draw(t, "call"),
				Try: fleet.Try{N: rapid.IntRange(0, 1).Draw(t, "try")},
			}
		}), 0, 400).Draw(t, "refs")
		want, got := map[fleet.Ref]int{}, map[fleet.Ref]int{}
		for _, r := range refs {
			want[r]++
		}
		for _, m := range fleet.Messages(refs) {
			if len(m.IDs) == 0 || len(m.IDs) > fleet.MaxBatch {
				t.Errorf("%d ids in a message", len(m.IDs))
			}
			for _, r := range m.Refs() {
				got[r]++
			}
		}
		if diff := cmp.Diff(len(want), len(got)); diff != "" {
			t.Error(diff)
		}
		for r, n := range want {
			if got[r] != n {
				t.Errorf("%s went in %d times and came out %d times", r, n, got[r])
			}
		}
	})
}

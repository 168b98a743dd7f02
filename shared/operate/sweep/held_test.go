package sweep_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/sweep"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/report"
)

func ids(n int, suffix string) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf("h%d%s", i, suffix))
	}
	return out
}

// only has one region of one account.
func only(ids []string) *cloud {
	c := newCloud()
	c.accounts, c.shared = c.accounts[:1], nil
	c.fleets = map[fleet.Scope][]string{hangzhou: ids}
	return c
}

// The class: what many instances share is one change, on however many pages and in however
// many passes it is asked for.
func TestASharedRoleIsOneChangeInLimitsAndReports(t *testing.T) {
	c := only(ids(40, "s")) // 14 pages, two calls a pass
	c.policy.Limits.MaxChanges, c.policy.Limits.MaxPercent = 41, 100
	s := c.swept(t, fine).shard(t, hangzhou)
	if n := counted(s, fleet.EnsureRole); n != 1 {
		t.Errorf("the shared role is counted %d times: %v", n, s.Changes)
	}
	if n := counted(s, fleet.AttachRole); n != 40 || len(s.Held) != 0 {
		t.Errorf("%d of 40 attached, held %v", n, s.Held)
	}
	c = only(ids(40, "s"))
	c.policy.Limits.MaxChanges, c.policy.Limits.MaxPercent = 40, 100
	if s := c.swept(t, fine).shard(t, hangzhou); len(s.Held) != 1 || s.Held[0].N != 41 {
		t.Errorf("41 changes are more than 40: held %v", s.Held)
	}
}

// unread turns the last night into one on which no shard could be read.
func (c *cloud) unread(t *testing.T) {
	t.Helper()
	last := c.published[len(c.published)-1].Summary
	for i := range last.Shards {
		last.Shards[i].Held, last.Shards[i].Fault = nil, "denied"
	}
	body, err := report.EncodeSummary(last)
	if err != nil {
		t.Fatal(err)
	}
	c.objects[sweep.SummaryObject(last.Run)] = body
}

func counted(s report.Shard, kind fleet.ChangeKind) (n int) {
	for _, c := range s.Changes {
		if c.Kind == kind {
			n += c.N
		}
	}
	return n
}

func TestChangesThatDisturbAreHeldBeyondAnHoursWorth(t *testing.T) {
	for n, held := range map[int]int{5: 0, 6: 6} {
		c := only(ids(n, "r"))
		c.policy.Limits.MaxPerHour = 5
		got := c.swept(t, fine)
		s := got.shard(t, hangzhou)
		if sum := heldOf(s); sum != held || (len(got.Notified) == 0) != (held > 0) {
			t.Errorf("of %d changes %d are held, notified %v", n, sum, got.Notified)
		}
	}
}

func heldOf(s report.Shard) (n int) {
	for _, h := range s.Held {
		n += h.N
	}
	return n
}

// Each night says of each rule how many, since when, and how to let a part through, until
// nothing is held; a night that could not be read does not end it.
func TestEachNightSaysWhatIsHeldAndSinceWhen(t *testing.T) {
	c := only(ids(6, "x"))
	c.policy.Limits.MaxChanges = 5
	found := func() (out []fleet.FindingRecord) {
		c.records, c.notified = nil, map[string]int{}
		c.now = c.now.AddDate(0, 0, 1)
		got := c.swept(t, fine)
		for _, r := range c.records {
			if r.Finding != nil && r.Finding.Rule == "limit" {
				out = append(out, *r.Finding)
				if !slices.ContainsFunc(got.Findings, func(f string) bool { return strings.Contains(f, " limit fault") }) {
					t.Error("the report lacks what is held")
				}
			}
		}
		return out
	}
	first := c.now.AddDate(0, 0, 1)
	for night := range 3 {
		fs := found()
		if len(fs) != 1 {
			t.Fatalf("night %d: %d findings", night, len(fs))
		}
		want := "6 changes of rule systrust-role are held since " + first.Format(time.DateOnly)
		if !strings.Contains(fs[0].Reason, want) || !strings.Contains(fs[0].Reason, "more than maxChanges 5") {
			t.Errorf("night %d: %q lacks %q", night, fs[0].Reason, want)
		}
		if want := "fleetwarden plan --account " + string(one) + " --region cn-hangzhou --control instance-role --part"; !strings.Contains(fs[0].Remedy, want) {
			t.Errorf("night %d: %q lacks %q", night, fs[0].Remedy, want)
		}
	}
	c.unread(t)
	if fs := found(); len(fs) != 1 || !strings.Contains(fs[0].Reason, "since "+first.Format(time.DateOnly)) {
		t.Errorf("after a night that could not be read: %v", fs)
	}
	c.fleets[hangzhou] = ids(6, "")
	if fs := found(); len(fs) != 0 {
		t.Errorf("nothing is held, and it says %v", fs)
	}
	c.fleets[hangzhou] = ids(6, "x")
	again := c.now.AddDate(0, 0, 1)
	if fs := found(); len(fs) != 1 || !strings.Contains(fs[0].Reason, "since "+again.Format(time.DateOnly)) {
		t.Errorf("held again since the night before: %v", fs)
	}
}

// A change to what several instances share is forwarded by the page that covers it, whether
// another page has asked for it before, uncovered, or does so later.
func TestASharedChangeIsForwardedByWhicheverPageCoversIt(t *testing.T) {
	for name, pages := range map[string][]string{
		"covered later":       {"h1s", "h2", "h3", "h4c"},
		"covered first":       {"h1c", "h2", "h3", "h4s"},
		"covered on both":     {"h1c", "h2", "h3", "h4c"},
		"on neither":          {"h1s", "h2", "h3", "h4s"},
		"covered after two":   {"h1s", "h2", "h3", "h4", "h5", "h6", "h7s", "h8", "h9", "h10c"},
		"covered on one page": {"h1s", "h2c"},
	} {
		c := only(pages)
		c.policy.InstanceRole.Mode, c.policy.InstanceRole.EnforceFor = policy.Audit, []policy.Selector{{VPCs: []string{"vpc-none"}}}
		covered := false
		for _, id := range pages {
			if strings.HasSuffix(id, "c") {
				covered = true
				c.policy.InstanceRole.EnforceFor = append(c.policy.InstanceRole.EnforceFor, policy.Selector{VPCs: []string{"vpc-" + id}})
			}
		}
		c.as = map[string]string{}
		for _, id := range pages {
			if strings.ContainsAny(id, "sc") {
				c.as[id] = "S" // the shared role alone
			}
		}
		got := c.swept(t, fine)
		want := map[string]int{"instance-role planned": 1}
		if covered {
			want = map[string]int{"instance-role forwarded": 1}
		}
		if diff := cmp.Diff(want, changes(got.shard(t, hangzhou))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		for _, id := range pages {
			if sent := strings.Contains(strings.Join(got.Notified, "\n")+"\n", "instance "+id+"\n"); sent != strings.HasSuffix(id, "c") {
				t.Errorf("%s: the owner is notified of %v", name, got.Notified)
			}
		}
	}
}

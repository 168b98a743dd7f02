package observe_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
)

func (s *sharer) TrustEdits(_ context.Context, _ fleet.Region, since time.Time) ([]fleet.TrustEdit, error) {
	edit := func(role, by string) fleet.TrustEdit { return fleet.TrustEdit{At: since, Role: role, By: by} }
	return []fleet.TrustEdit{edit("Share", "OWN"), edit("share", ""), edit("another", "own")}, s.call("TrustEdits", "")
}

// changed is a cloud whose role was changed so long before noon.
func changed(before time.Duration) *sharer {
	s := newSharer()
	s.role = fleet.Role{Name: "share", Updated: noon.Add(-before).Format(time.RFC3339)}
	return s
}

func TestEditsAreAskedForOnceAndOnlyAfterARecentChange(t *testing.T) {
	for before, want := range map[time.Duration]bool{
		time.Minute: false, 15 * time.Minute: true, 2 * time.Hour: true, 4 * time.Hour: false,
	} {
		s := changed(before)
		o := shares(s)
		o.Own = "own"
		w := seen(t, o, sides(fleet.KindSnapshotShare, fleet.KindImageShare))
		asked := 0
		for _, api := range s.asked {
			if api == "TrustEdits" {
				asked++
			}
		}
		if asked > 1 || (asked == 1) != want {
			t.Errorf("%v: asked %d times", before, asked)
		}
		for _, side := range w.Sides {
			ours := slices.ContainsFunc(side.Edits.V, func(e fleet.TrustEdit) bool { return e.Ours && e.By == "OWN" })
			if side.Edits.Seen() != want || side.Edits.Why != "" || ours != want || want && (len(side.Edits.V) != 2 || side.Edits.V[1].Ours) {
				t.Errorf("%v: got %+v", before, side.Edits)
			}
		}
	}
}

func TestEditsThatCannotBeReadAreUnknownAndHoldNothingUp(t *testing.T) {
	for _, class := range []fleet.Class{fleet.Denied, fleet.Throttled} {
		s := changed(time.Hour)
		s.fails["TrustEdits"] = refusal{class}
		if e := seen(t, shares(s), sides(fleet.KindImageShare)).Sides[0].Edits; e.Known() || e.Why == "" {
			t.Errorf("%s: got %+v", class, e)
		}
	}
	s := changed(time.Hour)
	s.fails["TrustEdits"] = refusal{fleet.OutOfBudget}
	if _, err := shares(s).Observe(t.Context(), sides(fleet.KindImageShare)); fleet.ClassOf(err) != fleet.OutOfBudget {
		t.Errorf("got %v", err)
	}
}

package fleet_test

import (
	"errors"
	"strings"
	"testing"

	"fleetwarden/shared/fleet"
)

type classy fleet.Class

func (c classy) Error() string      { return fleet.Class(c).String() }
func (c classy) Class() fleet.Class { return fleet.Class(c) }

func TestTheAnswerDeterminesWhoseAChangeIs(t *testing.T) {
	for name, x := range map[string]struct {
		answer error
		want   fleet.State
		why    string
	}{
		"success":          {nil, fleet.Done, ""},
		"lost":             {classy(fleet.Lost), fleet.Done, "lost"},
		"left out":         {fleet.AnswerOf(nil, "i-1").Err, fleet.Done, "lost"},
		"it is there":      {classy(fleet.Exists), fleet.Skipped, "already"},
		"refused":          {classy(fleet.Denied), fleet.Skipped, "already"},
		"of no class":      {errors.New("odd"), fleet.Skipped, "already"},
		"an instance's":    {fleet.AnswerOf(map[string]fleet.BatchAnswer{"i-1": {Err: classy(fleet.Invalid)}}, "i-1").Err, fleet.Skipped, "already"},
		"an instance done": {fleet.AnswerOf(map[string]fleet.BatchAnswer{"i-1": {}}, "i-1").Err, fleet.Done, ""},
	} {
		r := fleet.Found(fleet.Change{Want: "w"}, "after", x.answer)
		if r.State != x.want || !strings.Contains(r.Why, x.why) || (r.Why == "") != (x.why == "") || r.After != "after" || r.Change.Want != "w" || r.Err != nil {
			t.Errorf("%s: got %+v", name, r)
		}
	}
}

func TestWhatIsNotSeenWasMadeOnlyIfTheAnswerSaysSo(t *testing.T) {
	read := classy(fleet.Denied)
	for name, x := range map[string]struct {
		answer, read error
		want         fleet.State
	}{
		"success":               {nil, nil, fleet.Started},
		"success, not read":     {nil, read, fleet.Started},
		"lost":                  {classy(fleet.Lost), nil, fleet.Later},
		"lost, not read":        {classy(fleet.Lost), read, fleet.Later},
		"throttled, not read":   {classy(fleet.Throttled), read, fleet.Later},
		"refused":               {classy(fleet.Invalid), nil, fleet.Failed},
		"refused, and not read": {classy(fleet.Invalid), read, fleet.Failed},
	} {
		r := fleet.Unseen(fleet.Change{}, "doing it", x.answer, x.read)
		if r.State != x.want || r.Err == nil || !strings.HasPrefix(r.Why, "doing it: ") || x.read != nil && !strings.Contains(r.Why, x.read.Error()) {
			t.Errorf("%s: got %+v", name, r)
		}
	}
}

func TestSeveritiesRankByUrgencyAndUnknownOnesBelowAll(t *testing.T) {
	ascending := []fleet.Severity{"", fleet.Info, fleet.Low, fleet.Medium, fleet.High, fleet.Critical}
	for rank, s := range ascending {
		if s.Rank() != rank {
			t.Errorf("%q has rank %d, want %d", s, s.Rank(), rank)
		}
	}
	if all := fleet.Severities(); len(all) != len(ascending)-1 || all[0] != fleet.Critical {
		t.Errorf("got %v", all)
	}
	if got := fleet.Severity("huge").Rank(); got != 0 {
		t.Errorf("an unknown severity has rank %d", got)
	}
}

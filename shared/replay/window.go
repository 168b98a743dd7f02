package replay

import (
	"regexp"
	"time"

	"fleetwarden/shared/aliyun/trail"
	"fleetwarden/shared/fleet"
)

// Window is a time to replay, both ends included, in whole seconds.
type Window struct {
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
}

// Check says what is wrong with a window, given the cloud's time.
func (w Window) Check(now time.Time) error {
	switch {
	case !w.Since.Before(w.Until):
		return &fleet.BadInput{Where: "since", What: "the window must begin before it ends"}
	case now.Sub(w.Since) > trail.Kept:
		return &fleet.BadInput{Where: "since", What: "ActionTrail keeps records for 90 days; none is left from before " + now.Add(-trail.Kept).UTC().Format(time.RFC3339)}
	case w.Until.After(now):
		return &fleet.BadInput{Where: "until", What: "the window must not end in the future; it is " + now.UTC().Format(time.RFC3339)}
	}
	return nil
}

// Late reports whether records of the window may be missing, because ActionTrail shows
// them some ten minutes after their calls.
func (w Window) Late(now time.Time) bool { return now.Sub(w.Until) < trail.Delay }

var (
	runName    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	regionName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
)

func checkRun(run string) error {
	if !runName.MatchString(run) {
		return &fleet.BadInput{Where: "run", What: "not a name of up to 64 letters, digits, hyphens and underscores"}
	}
	return nil
}

func (j Job) check(now time.Time) error {
	if err := checkRun(j.Run); err != nil {
		return err
	}
	if !regionName.MatchString(string(j.Region)) {
		return &fleet.BadInput{Where: "region", What: "not a region id such as cn-hangzhou"}
	}
	return j.Window.Check(now)
}

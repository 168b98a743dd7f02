package replay

import (
	"time"

	"fleetwarden/shared/aliyun/trail"
	"fleetwarden/shared/fleet"
)

// Window is a time to replay, both ends included, in whole seconds.
type Window struct {
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
}

// slack is how much older than the kept records a window may be: the oldest of them are
// deleted while an operator enters the command.
const slack = time.Hour

// Check says what is wrong with a window to begin with, given the cloud's time.
func (w Window) Check(now time.Time) error {
	if err := w.shape(now); err != nil {
		return err
	}
	if now.Sub(w.Since) > trail.Kept+slack {
		return &fleet.BadInput{Where: "since", What: "ActionTrail keeps records for 90 days; none is left from before " + oldest(now).Format(time.RFC3339)}
	}
	return nil
}

// shape says what is wrong with a window that may have aged.
func (w Window) shape(now time.Time) error {
	switch {
	case !w.Since.Before(w.Until):
		return &fleet.BadInput{Where: "since", What: "the window must begin before it ends"}
	case w.Until.After(now):
		return &fleet.BadInput{Where: "until", What: "the window must not end in the future; it is " + now.UTC().Format(time.RFC3339)}
	case now.Sub(w.Until) >= trail.Kept:
		return &fleet.BadInput{Where: "until", What: "ActionTrail keeps records for 90 days; none of the window is left"}
	}
	return nil
}

// oldest is the first whole second of which records are kept.
func oldest(now time.Time) time.Time {
	return now.Add(time.Second - trail.Kept - 1).UTC().Truncate(time.Second)
}

// Late reports whether records of the window may be missing, because ActionTrail shows
// them some ten minutes after their calls.
func (w Window) Late(now time.Time) bool { return now.Sub(w.Until) < trail.Delay }

func checkRun(run string) error {
	if !fleet.Plain(run) {
		return &fleet.BadInput{Where: "run", What: "not a name of up to 64 letters, digits, hyphens and underscores"}
	}
	return nil
}

func (j Job) check(now time.Time) error {
	if err := checkRun(j.Run); err != nil {
		return err
	}
	if !j.Region.Valid() {
		return &fleet.BadInput{Where: "region", What: "not a region id such as cn-hangzhou"}
	}
	return j.Window.shape(now)
}

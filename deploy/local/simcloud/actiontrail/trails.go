package actiontrail

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"fleetwarden/deploy/local/simcloud/wire"
)

// Standing is the trail that every account of a new world has, and that logs: without
// one, nothing of an account's calls reaches its bus.
const Standing = "local-trail"

// maxTrails is how many trails an account may have: the limits page.
const maxTrails = 5

// Delivery is where a trail writes to, and what of.
type Delivery struct {
	EventRW                        string // Write, Read or All
	MaxComputeProjectArn           string
	MaxComputeWriteRoleArn         string
	OssBucketName, OssKeyPrefix    string
	OssWriteRoleArn                string
	SlsProjectArn, SlsWriteRoleArn string
	TrailRegion                    string // All, or one region
}

// trail is one trail of an account.
type trail struct {
	Delivery
	name, home       string
	organization     bool
	status           string // Fresh, Enable or Disable
	created, updated time.Time
	started, stopped time.Time
	delivered        time.Time
	failure          string
}

func (t *trail) logging() bool { return t.status == "Enable" }

// covers reports whether a write of that region is written by the trail.
func (t *trail) covers(region string) bool {
	return t.logging() && t.EventRW != "Read" && (t.TrailRegion == "All" || t.TrailRegion == region)
}

// stand gives every account its trail.
func (t *Trail) stand() {
	now := t.world.Clock.Now()
	for _, account := range t.world.Accounts {
		home := t.world.Regions[0]
		t.trails[account] = []*trail{{
			name: Standing, home: home, status: "Enable", created: now, updated: now, started: now,
			Delivery: Delivery{EventRW: "All", TrailRegion: "All", SlsProjectArn: "acs:log:" + home + ":" + account + ":project/" + Standing},
		}}
	}
}

// deliver notes that the trails of an account write a record, and reports whether any
// does.
func (t *Trail) deliver(p place, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	any := false
	for _, x := range t.trails[p.account] {
		if x.covers(p.region) {
			any, x.delivered = true, now
		}
	}
	return any
}

// Fail has a trail's status say that its deliveries fail, until text is empty. Events
// reach the bus all the same.
func (t *Trail) Fail(account, name, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if x := t.trailOf(account, name); x != nil {
		x.failure = text
	}
}

// trailOf is the trail of that name; nil without one. The caller holds the mutex.
func (t *Trail) trailOf(account, name string) *trail {
	at := slices.IndexFunc(t.trails[account], func(x *trail) bool { return x.name == name })
	if at < 0 {
		return nil
	}
	return t.trails[account][at]
}

// Enter implements wire.Guarded. RAM is asked for all trails of the region, as the
// published pages have it.
func (t *Trail) Enter(c *wire.Call) (sync.Locker, error) {
	return &t.mu, c.Ask("actiontrail:"+c.Action, "acs:actiontrail:$Region:$Account:*")
}

// named returns the trail of the call. The caller holds the mutex.
func (t *Trail) named(c *wire.Call, name string) (*trail, error) {
	x := t.trailOf(c.Caller.Account, name)
	if x == nil {
		return nil, wire.Errorf(404, "TrailNotFoundException", "The specified trail does not exist.")
	}
	c.Refer("ACS::ActionTrail::Trail", name)
	return x, nil
}

// TrailRequest names a trail.
type TrailRequest struct{ Name string }

// TrailInput are the parameters of UpdateTrail.
type TrailInput struct {
	TrailRequest
	Delivery
}

// CreateTrailRequest are the parameters of CreateTrail.
type CreateTrailRequest struct {
	TrailInput
	IsOrganizationTrail bool
}

// TrailOutput is the response of CreateTrail and UpdateTrail.
type TrailOutput struct {
	Delivery
	Name, HomeRegion string
}

func (t *trail) output() *TrailOutput { return &TrailOutput{t.Delivery, t.name, t.home} }

var trailName = regexp.MustCompile(`^[a-z][a-z0-9_-]{5,35}$`)

// CreateTrail makes a trail that does not log yet: its status is Fresh.
func (t *Trail) CreateTrail(c *wire.Call, in *CreateTrailRequest) (*TrailOutput, error) {
	d := in.Delivery
	d.TrailRegion, d.EventRW = cmp.Or(d.TrailRegion, "All"), cmp.Or(d.EventRW, "Write")
	switch {
	case !trailName.MatchString(in.Name):
		return nil, wire.Errorf(400, "InvalidTrailNameException", "A trail's name has 6 to 36 lower-case letters, digits, - and _, and begins with a letter.")
	case t.trailOf(c.Caller.Account, in.Name) != nil:
		return nil, wire.Errorf(409, "TrailAlreadyExistsException", "The specified trail already exists.")
	case len(t.trails[c.Caller.Account]) >= maxTrails:
		return nil, wire.Errorf(403, "MaximumNumberOfTrailsExceededException", "An account has %d trails at most.", maxTrails)
	}
	if err := t.check(d); err != nil {
		return nil, err
	}
	x := &trail{Delivery: d, name: in.Name, home: c.Region, organization: in.IsOrganizationTrail, status: "Fresh", created: c.Now, updated: c.Now}
	t.trails[c.Caller.Account] = append(t.trails[c.Caller.Account], x)
	c.Refer("ACS::ActionTrail::Trail", in.Name)
	return x.output(), nil
}

// check wants a place to deliver to, and known values.
func (t *Trail) check(d Delivery) error {
	region := d.TrailRegion == "All" || slices.Contains(t.world.Regions, d.TrailRegion)
	if !region || !slices.Contains([]string{"Write", "Read", "All"}, d.EventRW) || d.OssBucketName+d.SlsProjectArn+d.MaxComputeProjectArn == "" {
		return wire.Errorf(400, "InvalidQueryParameter", "TrailRegion, EventRW or the place of delivery is missing or not valid.")
	}
	return nil
}

// UpdateTrail changes what it is given.
func (t *Trail) UpdateTrail(c *wire.Call, in *TrailInput) (*TrailOutput, error) {
	x, err := t.named(c, in.Name)
	if err != nil {
		return nil, err
	}
	d := x.Delivery
	for _, f := range []struct {
		to   *string
		from string
	}{
		{&d.EventRW, in.EventRW}, {&d.TrailRegion, in.TrailRegion}, {&d.OssBucketName, in.OssBucketName}, {&d.OssKeyPrefix, in.OssKeyPrefix},
		{&d.OssWriteRoleArn, in.OssWriteRoleArn}, {&d.SlsProjectArn, in.SlsProjectArn}, {&d.SlsWriteRoleArn, in.SlsWriteRoleArn},
		{&d.MaxComputeProjectArn, in.MaxComputeProjectArn}, {&d.MaxComputeWriteRoleArn, in.MaxComputeWriteRoleArn},
	} {
		*f.to = cmp.Or(f.from, *f.to)
	}
	if err := t.check(d); err != nil {
		return nil, err
	}
	x.Delivery, x.updated = d, c.Now
	return x.output(), nil
}

// Nothing is a response with the request id only.
type Nothing struct{}

// StartLogging starts a trail; one that logs continues.
func (t *Trail) StartLogging(c *wire.Call, in *TrailRequest) (*Nothing, error) {
	x, err := t.named(c, in.Name)
	if err == nil && !x.logging() {
		x.status, x.started = "Enable", c.Now
	}
	return &Nothing{}, err
}

// StopLogging stops a trail.
func (t *Trail) StopLogging(c *wire.Call, in *TrailRequest) (*Nothing, error) {
	x, err := t.named(c, in.Name)
	if err == nil && x.logging() {
		x.status, x.stopped = "Disable", c.Now
	}
	return &Nothing{}, err
}

// DeleteTrail deletes a trail, also one that logs.
func (t *Trail) DeleteTrail(c *wire.Call, in *TrailRequest) (*Nothing, error) {
	x, err := t.named(c, in.Name)
	if err == nil {
		account := c.Caller.Account
		t.trails[account] = slices.DeleteFunc(t.trails[account], func(y *trail) bool { return y == x })
	}
	return &Nothing{}, err
}

// State is all trails in a fixed order.
func (t *Trail) State() any {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := []string{}
	for account, list := range t.trails {
		for _, x := range list {
			out = append(out, strings.Join([]string{account, x.name, x.home, x.status, x.EventRW, x.TrailRegion, x.OssBucketName, x.SlsProjectArn}, " "))
		}
	}
	slices.Sort(out)
	return out
}

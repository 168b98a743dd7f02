package why

import (
	"context"
	"time"

	"fleetwarden/shared/aliyun/trail"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/policy"
)

// Instances reads ECS.
type Instances interface {
	Regions(ctx context.Context, home fleet.Region) ([]fleet.Region, error)
	Listings(ctx context.Context, region fleet.Region, ids []string) (map[string]fleet.Listing, error)
	RoleNames(ctx context.Context, region fleet.Region, ids []string) (map[string]string, error)
	Assistants(ctx context.Context, region fleet.Region, ids []string) (map[string]fleet.Assistant, error)
	Invocations(ctx context.Context, region fleet.Region, since time.Time) (map[string][]fleet.Invocation, error)
}

// Agents reads Security Center.
type Agents interface {
	Agents(ctx context.Context, region fleet.Region, ids []string) (map[string]fleet.Agent, error)
}

// Trail reads ActionTrail.
type Trail interface {
	Lookup(ctx context.Context, region fleet.Region, q trail.Query) (records []trail.Record, next string, err error)
	Trails(ctx context.Context, home, region fleet.Region) ([]trail.Trail, error)
}

// Past reads the memory of the sweep.
type Past interface {
	Found(ctx context.Context, s fleet.Scope, ids []string) (map[string]map[string]time.Time, error)
}

// Account has the readers of an account.
type Account struct {
	Instances Instances
	Agents    Agents
	// Trail is nil where the role in the account has no business with ActionTrail.
	Trail Trail
}

// Sources are what a page is made from.
type Sources struct {
	Home   fleet.Scope
	Build  Build
	Policy *policy.Policy
	File   string // of the policy; empty for none
	// Named are the accounts of the policy file, which are searched after that of the
	// credentials, unless there are too many.
	Named []fleet.AccountID
	In    func(ctx context.Context, account fleet.AccountID) (Account, error)
	Judge func(ctx context.Context, ref fleet.Ref, resource string) (Judged, error)
	// Claims decodes a trail record of an account, and returns the resources that it names and
	// the call's claims; nil for a call that no function watches.
	Claims func(record []byte, account fleet.AccountID) (ids []string, call *fleet.Call)
	// Store is the ledger; nil for none, and NoLedger says why.
	Store    ledger.Store
	NoLedger error
	Past     Past
	Sweep    func(ctx context.Context, s fleet.Scope) (Sweep, error)
	Deployed func(ctx context.Context, region fleet.Region) (Deployed, error)
	Pauses   func(ctx context.Context, account fleet.AccountID) (map[string]Pause, error)
	// Passes reads the newest records of a function that name an id since a time, without findings
	// about others; more says that there are older ones. The error of a log store that is not there
	// has class [fleet.NotFound].
	Passes func(ctx context.Context, region fleet.Region, function string, of fleet.Ref, id string, since time.Time) (records []Record, more bool, err error)
	// Calls counts the calls so far, by product:Action and result.
	Calls func() map[string]map[string]int
	Now   func() time.Time
}

// Question is what to explain, and how far back to search.
type Question struct {
	Subject
	// Only are the controls that are asked about; none: all.
	Only []string
	// Account is where it is; empty: where it is found. Region is where it is looked for first.
	Account fleet.AccountID
	Region  fleet.Region
	// Since bounds the search of ledger and trail, Most how many batches of the ledger are read, and
	// Within how long all of it may take. Since is zero where Back says how long ago that is, by the
	// cloud's clock.
	Since  time.Time
	Back   time.Duration
	Most   int
	Within time.Duration
}

package fcrun

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/reconcile"
)

// Function is one deployed unit, as its main assembles it.
type Function struct {
	// Name is the name in Function Compute, such as attach-role.
	Name string
	// About is its purpose in one sentence, for --help.
	About string
	// EventsOnly: it takes an event and no instance ids, in a terminal too.
	EventsOnly bool
	// Wakes is the payload of the function's timer. In a terminal, such a function gets it
	// when no event is given, and continues until no work is left.
	Wakes []byte
	// Unbounded gives an invocation no budget of calls: an operator waits for it.
	Unbounded bool
	// Writers is how many of its passes may write at the same time. Where it is one, a
	// terminal leaves the changes to the deployed function, through its inbox.
	Writers Writers
	// Handle serves one invocation. After an error the same payload is tried again.
	Handle func(ctx context.Context, call *Call) (fleet.Pass, error)
}

type Writers uint8

// The numbers of writers. One is enforced by the reserved concurrency in s.yaml.
const (
	ManyWriters Writers = iota
	OneInARegion
	OneAtHome // in the home region only
)

// Call is one invocation of a function, under Function Compute or in a terminal.
type Call struct {
	// Payload is the invocation's payload.
	Payload []byte
	// Home is where the function runs.
	Home fleet.Scope
	// Session counts and sends this pass's API calls, with the keys of Home's account.
	// Those for another account are sent by the session that [Call.In] returns.
	Session *aliyun.Session
	// Members has the keys of roles in other accounts.
	Members *Members
	// Store has the ledger's objects; nil when there is none.
	Store ledger.Store
	// Place is where the ledger is.
	Place LedgerPlace
	// Log writes a record to the function's log only, whereas Options.Record also copies a
	// finding to the queue of the policy's sinks; nil in a terminal.
	Log func(fleet.Record) error
	// Notify sends one message to that queue; nil in a terminal.
	Notify func(text []byte) error
	// Options are those of the pass: policy, inbox, records, dry run.
	Options reconcile.Options

	open *connections // the process's; nil in a terminal
}

// Role returns the name of the RAM role that a function runs as.
func Role(function string) string { return fleet.CloudName(function) }

// margin is how long before the deadline a pass stops taking batches: enough for one
// batch's reads and writes, with their waits, and for re-queuing the rest.
const margin = 15 * time.Second

// PolicyVariable is the environment variable that names the policy file. A relative
// path starts at the folder of the function's code.
const PolicyVariable = "FLEETWARDEN_POLICY"

// HomeVariable is the environment variable with the region of the functions that exist
// once.
const HomeVariable = "FLEETWARDEN_HOME_REGION"

// LoadPolicy reads the policy file that the environment names. Without one, all controls
// are in audit mode. An invalid file is an error: then no write may follow. So is one whose
// home region is not that of the functions that exist once: messages to them would not be
// received.
func LoadPolicy(getenv func(string) string) (*policy.Policy, error) {
	p, err := namedPolicy(getenv)
	if err != nil {
		return nil, err
	}
	deployed := fleet.Region(getenv(HomeVariable))
	if p.HomeRegion == "" {
		p.HomeRegion = deployed
	}
	if deployed != "" && p.HomeRegion != deployed {
		return nil, fmt.Errorf("the policy's homeRegion is %s, and %s is %s: one of them is wrong", p.HomeRegion, HomeVariable, deployed)
	}
	return p, nil
}

func namedPolicy(getenv func(string) string) (*policy.Policy, error) {
	path := getenv(PolicyVariable)
	if path == "" {
		return policy.Default(), nil
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(getenv("FC_FUNC_CODE_PATH"), path)
	}
	return ReadPolicy(path)
}

func ReadPolicy(path string) (*policy.Policy, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the policy file: %w", err)
	}
	p, err := policy.Load(filepath.Base(path), data)
	if err != nil {
		return nil, fmt.Errorf("loading the policy file: %w", err)
	}
	return p, nil
}

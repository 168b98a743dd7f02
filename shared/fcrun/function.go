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

// Function is one deployed unit, as its main wires it.
type Function struct {
	// Name is the name in Function Compute, such as attach-role.
	Name string
	// About says in one sentence what it does, for --help.
	About string
	// EventsOnly says that it looks at no single instances: in a terminal it takes
	// an event and no ids.
	EventsOnly bool
	// Wakes is what the function's timer sends. In a terminal, a function that has it
	// is woken so when no event is given, and goes on until nothing is left to do.
	Wakes []byte
	// Unbounded gives an invocation no budget of calls: a person waits for it.
	Unbounded bool
	// Writers says how many passes of it may write at the same time. Where it is one, a
	// terminal leaves the changes to the deployed function, through its inbox.
	Writers Writers
	// Handle serves one invocation. An error means: try the same payload again.
	Handle func(ctx context.Context, call *Call) (fleet.Pass, error)
}

// Writers is how many passes of a function may write at the same time.
type Writers uint8

// The numbers of writers. What is one is one by the reserved concurrency in s.yaml.
const (
	ManyWriters Writers = iota
	OneInARegion
	OneAtHome // in the home region alone
)

// Call is one invocation of a function, under Function Compute or in a terminal.
type Call struct {
	// Payload is what woke the function.
	Payload []byte
	// Home is where the function runs.
	Home fleet.Scope
	// Session counts and sends this pass's API calls, with the keys of Home's account.
	// Those for another account are sent by the session that [Call.In] returns.
	Session *aliyun.Session
	// Members has the keys of roles in other accounts.
	Members *Members
	// Store holds the ledger's objects; nil when there is none.
	Store ledger.Store
	// Place is where the ledger is.
	Place LedgerPlace
	// Log writes a record to the function's log alone, where Options.Record copies a
	// finding to the queue of the policy's sinks as well; nil in a terminal.
	Log func(fleet.Record) error
	// Notify sends one message to that queue; nil in a terminal.
	Notify func(text []byte) error
	// Options are those of the pass: policy, inbox, records, dry run.
	Options reconcile.Options
	// PutBack returns a message that this code is too old to read.
	PutBack func(body []byte) error

	open *connections // the process's; nil in a terminal
}

// Role returns the name of the RAM role that a function runs as.
func Role(function string) string { return fleet.CloudName(function) }

// margin is how long before the deadline a pass stops taking batches: enough for
// one batch's reads and writes, with their waits, and for putting the rest back.
const margin = 15 * time.Second

// PolicyVariable is the environment variable that names the policy file. A relative
// path starts at the folder of the function's code.
const PolicyVariable = "FLEETWARDEN_POLICY"

// HomeVariable is the environment variable that tells the region in which the functions
// that exist once were deployed.
const HomeVariable = "FLEETWARDEN_HOME_REGION"

// LoadPolicy reads the policy file that the environment names. Without one, all
// controls are in audit mode. A file that cannot be used is an error: then nothing
// may be written. So is one whose home region is not where deployment put the functions
// that exist once: what is sent to them there would wait for nobody.
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

// ReadPolicy reads a policy file.
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

package doctor

import (
	"context"
	"time"

	"fleetwarden/shared/deployment"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// Reads has what an examination asks of the cloud, and what it compares with. All of it is
// safe for concurrent use.
type Reads struct {
	// Home is the region of the functions that exist once.
	Home fleet.Region
	// Policy is the policy file of the caller.
	Policy Policy
	// Files are those of the build that examines.
	Files Files
	// Local says that the cloud has a clock of its own: see check clock.
	Local bool
	// Inside says that the caller is the function doctor, which the members' roles trust; they
	// need not trust an operator.
	Inside bool
	// Limit is the longest that the examination takes; zero for [Limit].
	Limit time.Duration

	// Settings is why the caller's policy file, or a variable that says where the deployment is,
	// could not be read; nil if all were.
	Settings error

	// Account is nil where nothing can be asked without the settings.
	Account  func(context.Context) (fleet.AccountID, error)
	Services Services
	Deployed deployment.Cloud
	Links    Links
	Trails   Trails
	Rules    func(fleet.Region) Patterns
	Queues   func(fleet.Region) Queues
	Depths   func(fleet.Region) Depths
	KMS      KMS
	Secrets  Secrets
	Agents   SecurityCenter
	Commands Commands
	Accounts Members
	Ledger   Ledger
	Logs     Logs

	// Now is the cloud's time; Clock that of this machine.
	Now, Clock func() time.Time
	// Calls counts the calls.
	Calls func() map[string]map[string]int
}

// Policy is what the examination takes from the policy file.
type Policy struct {
	Digest string
	// File says that a file was read: otherwise the caller has none to compare.
	File bool
	// Path is that of the file, for commands to type; empty where there is none, or nothing is typed.
	Path string
	// Regions are the guarded ones; empty means all that are enabled.
	Regions []fleet.Region
	// Accounts are those of the file, without those of the resource directory.
	Accounts []Account
	// Directory says that all accounts of the resource directory are members.
	Directory bool
	// Off are the controls that are off: what they alone need is no failure.
	Off []string
	// Findings is the queue for copies of findings; empty for none.
	Findings string
	// Channels are those of notifications.
	Channels []policy.Channel
}

// Account is an account of the policy file.
type Account struct {
	ID fleet.AccountID
	// Role is that to assume, its own or that of the directory; empty for the home account.
	Role string
}

// Files are the parts of the repository that an examination compares with.
type Files struct {
	// Roles are the documents of deploy/ram, by the functions' names, and Optional those of
	// deploy/ram/optional, by their files' names.
	Roles, Optional map[string]string
	// Member is the document of the members' role.
	Member string
	// Samples are events, and Delivered the names of those that each event rule of
	// deploy/eventrules is there for.
	Samples   map[string]string
	Delivered map[string][]string
	// Commands are the names of the Cloud Assistant commands.
	Commands []string
}

// Services asks each service of a region for the shortest list that it has.
type Services interface {
	// Active reports an error if the service was never activated in the account.
	Active(ctx context.Context, service string, region fleet.Region) error
	// Absent reports whether a product is known not to be served in a region.
	Absent(product string, region fleet.Region) bool
	// Regions are those that are enabled in the account.
	Regions(ctx context.Context, home fleet.Region) ([]fleet.Region, error)
}

// Links reads service-linked roles.
type Links interface {
	Bare(ctx context.Context, role string) (fleet.Role, error)
}

// Trail is a trail, and whether it delivers.
type Trail struct {
	Name    string
	Logging bool
	// Faults say what is wrong with its latest deliveries.
	Faults []string
}

// Trails reads ActionTrail.
type Trails interface {
	// Trails returns those that cover the write calls of a region, asked at home.
	Trails(ctx context.Context, home, region fleet.Region) ([]Trail, error)
}

// Patterns tries event patterns.
type Patterns interface {
	// Matches reports whether the service delivers an event by a pattern.
	Matches(ctx context.Context, event, pattern string) (bool, error)
}

// Queue has the settings of a queue that matter.
type Queue struct {
	// DeadLetters is the queue of its dead letters; empty for none.
	DeadLetters string
}

// Letter is a message that was peeked at. Its body stays where it is.
type Letter struct{ Enqueued time.Time }

// Queues reads the queues of a region.
type Queues interface {
	// Queue reads the settings. A queue that does not exist is of class NotFound.
	Queue(ctx context.Context, name string) (Queue, error)
	// Peek shows up to n visible messages.
	Peek(ctx context.Context, name string, n int) ([]Letter, error)
}

// Depth is how many messages a queue held at a moment, which is minutes ago.
type Depth struct {
	Visible, Invisible, Delayed int
	At                          time.Time
}

// Depths reads how full queues are.
type Depths interface {
	// Depths returns those that are known, by the queues' names.
	Depths(ctx context.Context, queues []string) (map[string]Depth, error)
}

// KMS reads whether KMS is enabled.
type KMS interface {
	AccountStatus(ctx context.Context, region fleet.Region) (string, error)
}

// Secrets looks for secrets of KMS.
type Secrets interface {
	// HasSecret reports whether there is a secret of a name. Its text is not read.
	HasSecret(ctx context.Context, region fleet.Region, name string) (bool, error)
}

// SecurityCenter reads the edition.
type SecurityCenter interface {
	// Edition is a number of the service: 1 is Basic.
	Edition(ctx context.Context, region fleet.Region) (int, error)
}

// Commands reads Cloud Assistant's commands.
type Commands interface {
	// Command returns the id of the account's own command of a name; empty if there is none.
	Command(ctx context.Context, region fleet.Region, name string) (string, error)
}

// Members reaches other accounts.
type Members interface {
	// Listed are the members of the resource directory.
	Listed(ctx context.Context) ([]fleet.AccountID, error)
	// Enter assumes the role of the policy in an account.
	Enter(ctx context.Context, account fleet.AccountID) error
	// Role reads that role there, with its policies.
	Role(ctx context.Context, account fleet.AccountID) (fleet.Role, error)
}

// Ledger reads the functions' ledger.
type Ledger interface {
	Get(ctx context.Context, name string) ([]byte, error)
	List(ctx context.Context, prefix, after string) (names []string, more bool, err error)
	// Versioning returns the state of the bucket's versioning: empty if it never had any.
	Versioning(ctx context.Context) (string, error)
	// OfFunctions returns the address of the functions' ledger, as their variable has it; empty
	// where there is no function to ask, or it has none.
	OfFunctions(ctx context.Context) (string, error)
	// Address is that of an object, as people read it.
	Address(object string) string
}

// Logs searches the functions' log store of a region.
type Logs interface {
	// LastPass is when a function wrote the newest record of a pass since then, and of which time
	// the newest event is; zero where there is none.
	LastPass(ctx context.Context, region fleet.Region, function string, since time.Time) (Passed, error)
}

// Passed is what the log says of the newest passes of a function.
type Passed struct {
	At time.Time
	// Event is the time of the newest event that names its own time, which calls do, among the
	// newest [EventsOf] passes.
	Event time.Time
}

// EventsOf is in how many passes the newest event is looked for.
const EventsOf = 100

func (r Reads) now() time.Time {
	if r.Now == nil {
		return time.Time{}
	}
	return r.Now().UTC()
}

func (r Reads) calls() map[string]map[string]int {
	if r.Calls == nil {
		return nil
	}
	return r.Calls()
}

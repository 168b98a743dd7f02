package stage

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stack"
)

// Options of a Stage. Root is required.
type Options struct {
	// Root is the top of the repository.
	Root string
	// BinDir has <function>/main for every function; empty: they are built.
	BinDir string
	// Policy is the functions' policy file; empty for deploy/local/policy.yaml.
	Policy string
	// LogDir keeps the functions' output; empty for a temporary folder.
	LogDir string
	// Document, when set, may change a function's RAM policy before it is made.
	Document func(function, document string) (string, error)
	// Optional names files of deploy/ram/optional, without .json, that are granted to
	// the function their name begins with.
	Optional []string
	// Members are accounts that send their events; see [stack.Options].
	Members []string
	// Without names functions that are not deployed.
	Without []string
	// World are the regions of the cloud; nil for the server's default.
	World []string
	// Regions get a deployment each; nil for cn-hangzhou.
	Regions []string
	// Recorded leaves a record of the deployment in the ledger; see [stack.Options].
	Recorded bool
	// Env is added to the functions' environment variables.
	Env map[string]string
	// Propagation is how long ECS does not see a new role, in virtual time; 0 for the
	// server's default.
	Propagation time.Duration
}

// Stage is a running scene.
type Stage struct {
	Server *server.Server
	Stack  *stack.Stack
	logs   string
	tape   tape

	reading  sync.Mutex
	journals map[string]journal // by the log's path

	departures departures
}

// Open builds the scene and returns when it is ready.
func Open(ctx context.Context, o Options) (*Stage, error) {
	s := &Stage{journals: map[string]journal{}}
	var err error
	if s.Server, err = server.New(server.Options{Propagation: o.Propagation, Regions: o.World}); err != nil {
		return nil, err
	}
	s.Server.World.Subscribe(s.tape.record)
	s.Server.Plug(func(h *server.Hooks) { h.Seen = s.departures.note })
	s.Stack, err = stack.Start(ctx, stack.Options{
		Server: s.Server, Manifest: filepath.Join(o.Root, "s.yaml"), BinDir: o.BinDir, Policy: o.Policy, LogDir: o.LogDir,
		Regions: o.Regions, Members: o.Members, Without: o.Without, Env: o.Env, Document: o.Document, Optional: o.Optional,
		Recorded: o.Recorded,
	})
	if err != nil {
		return nil, errors.Join(err, s.Server.Close())
	}
	s.logs = s.Stack.LogDir()
	return s, nil
}

// Close ends the scene.
func (s *Stage) Close() error { return errors.Join(s.Stack.Close(), s.Server.Close()) }

// longest is how much virtual time a story may take to come to rest. Looks again
// end long before.
const longest = 24 * time.Hour

// Settle lets virtual time pass until nothing is on its way any more.
func (s *Stage) Settle(ctx context.Context) error {
	quiet, err := s.Server.World.Clock.Quiet(ctx, longest)
	if err != nil {
		return fmt.Errorf("letting time pass: %w", err)
	}
	if !quiet {
		return fmt.Errorf("the world did not come to rest in %s", longest)
	}
	return nil
}

// Advance lets that much virtual time pass.
func (s *Stage) Advance(ctx context.Context, d time.Duration) error {
	if err := s.Server.World.Clock.Advance(ctx, d); err != nil {
		return fmt.Errorf("letting time pass: %w", err)
	}
	return nil
}

// Keys are long-term credentials of the start world.
type Keys struct{ ID, Secret, Token string }

// The operator's keys, and those of the administrators of the other accounts.
var (
	Operator = Keys{ID: "local-ak", Secret: "local-sk"}
	Sharee   = Keys{ID: "sharee-ak", Secret: "sharee-sk"}
	Member   = Keys{ID: "member-ak", Secret: "member-sk"}
)

// KeysOf returns credentials of the role that a function runs as, as the platform
// would give them to it.
func (s *Stage) KeysOf(function string) (Keys, error) {
	c, err := s.Server.STS.Issue(server.Sharer, "fleetwarden-"+function, "story", time.Hour)
	return Keys{c.AccessKeyId, c.AccessKeySecret, c.SecurityToken}, err
}

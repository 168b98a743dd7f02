package stack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"fleetwarden/deploy/local/fc"
	"fleetwarden/deploy/local/fcapi"
	"fleetwarden/deploy/local/manifest"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/simcloud/sls"
)

// EndpointVariable gives every client of ours the one address of the cloud.
const EndpointVariable = "ALIBABA_CLOUD_ENDPOINT_URL"

// Bucket holds the ledger; s.yaml names it, and Terraform makes it in the cloud.
const Bucket = "fleetwarden-" + server.Sharer

// Options of a Stack. Server and Manifest are required.
type Options struct {
	Server *server.Server
	// Manifest is the path of s.yaml; all else is found beside it.
	Manifest string
	// BinDir has <function>/main for every function, see [Build]; empty: they
	// are built into a temporary folder.
	BinDir string
	// Regions get a deployment each, the first being home; nil for cn-hangzhou.
	Regions []string
	// Policy is the functions' policy file; empty for deploy/local/policy.yaml.
	Policy string
	// Env is added to the functions' environment variables.
	Env map[string]string
	// Document, when set, may change a function's RAM policy before it is made; also
	// that of the role [Member].
	Document func(function, document string) (string, error)
	// Optional names files of deploy/ram/optional, without .json, to grant as well.
	// Each is granted to the function that its name begins with, and to the role
	// [Member]. The files <function>-members, which let functions assume that role, are
	// granted always: the local policy names the member.
	Optional []string
	// Members are accounts whose events come by the members' bus, and that have the role
	// [Member]; nil for one that has the role alone, server.Member.
	Members []string
	// Without names functions, as the manifest's resources, that are not deployed.
	Without []string
	// Recorded ends the deployment with [Stack.Confirm]. Without it the ledger has no record.
	Recorded bool
	// LogDir keeps the functions' output; empty for a temporary folder.
	LogDir string
	// Log receives what the stack does; nil for none.
	Log io.Writer
}

// Stack is what is deployed. Close it before its server.
type Stack struct {
	o        Options
	root     string
	runtime  *fc.Runtime
	api      *fcapi.API
	plugs    plugs
	platform *platform
	using    atomic.Pointer[string] // the policy file of now; nil for that of the options
	temp     string
	// short are the keys of the manifest's resources by the functions' names in the cloud.
	short map[string]string
	// commandIDs are the ids of the Cloud Assistant commands, by region and name.
	commandIDs map[string]map[string]string
	index      *sls.Index // of the log stores
	// Functions and triggers, for display.
	deployed []Deployed
}

// Deployed is one function with its triggers, as main shows it.
type Deployed struct {
	Region, Function string
	Triggers         []string
}

// home is the region of what exists once.
func (s *Stack) home() string { return s.o.Regions[0] }

// Start deploys everything and returns when it is ready.
func Start(ctx context.Context, o Options) (*Stack, error) {
	s := &Stack{o: o, root: filepath.Dir(o.Manifest)}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the stack: %w", err), s.Close())
	}
	return s, nil
}

func (s *Stack) start(ctx context.Context) error {
	if err := s.prepare(); err != nil {
		return err
	}
	if err := s.commands(); err != nil {
		return err
	}
	all := map[string]*manifest.Manifest{}
	for _, region := range s.o.Regions {
		m, err := s.load(region)
		if err != nil {
			return err
		}
		all[region] = m
	}
	s.short = map[string]string{}
	for key, r := range all[s.home()].Resources {
		s.short[r.Props.FunctionName] = key
	}
	for _, step := range []func() error{
		func() error { return s.binaries(ctx, all[s.home()]) },
		func() error { return s.roles(all[s.home()]) },
		s.member,
		func() error { return s.o.Server.OSS.CreateBucket(server.Sharer, s.home(), Bucket) },
		s.memberEvents,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	for _, region := range s.o.Regions {
		if err := s.deploy(region, all[region]); err != nil {
			return fmt.Errorf("deploying to %s: %w", region, err)
		}
	}
	if err := s.plug(); err != nil || !s.o.Recorded {
		return err
	}
	return s.Confirm(ctx)
}

// prepare fills in the defaults and starts the runtime.
func (s *Stack) prepare() (err error) {
	if s.root, err = filepath.Abs(s.root); err != nil {
		return err
	}
	if s.temp, err = os.MkdirTemp("", "fleetwarden-local-"); err != nil {
		return err
	}
	if len(s.o.Regions) == 0 {
		s.o.Regions = []string{server.Home}
	}
	s.o.Policy = cmp.Or(s.o.Policy, filepath.Join(s.root, "deploy", "local", "policy.yaml"))
	if s.o.Policy, err = filepath.Abs(s.o.Policy); err != nil {
		return err
	}
	s.o.LogDir = cmp.Or(s.o.LogDir, filepath.Join(s.temp, "log"))
	s.o.Log = cmp.Or(s.o.Log, io.Discard)
	if s.runtime, err = fc.New(fc.Options{Clock: s.o.Server.World.Clock, LogDir: s.o.LogDir, Issue: s.issue}); err != nil {
		return err
	}
	if s.index, err = indexOf(filepath.Join(s.root, "deploy", "queries.json")); err != nil {
		return err
	}
	s.api, err = s.controlPlane()
	return err
}

// load reads s.yaml for one region.
func (s *Stack) load(region string) (*manifest.Manifest, error) {
	return manifest.Load(s.o.Manifest, manifest.Options{
		Account: server.Sharer,
		Env: func(name string) (string, bool) {
			switch name {
			case "REGION":
				return region, true
			case "HOME_REGION":
				return s.home(), true
			case "FLEETWARDEN_COMMANDS":
				return s.commandEnv(region), true
			}
			return os.LookupEnv(name)
		},
	})
}

// credentialTime is how long an invocation's credentials are good, in real time.
const credentialTime = time.Hour

func (s *Stack) issue(f *fc.Function, session string) (fc.Credentials, error) {
	c, err := s.o.Server.STS.Issue(f.Account, f.Role, session, credentialTime)
	return fc.Credentials{AccessKeyID: c.AccessKeyId, AccessKeySecret: c.AccessKeySecret, SecurityToken: c.SecurityToken}, err
}

func (s *Stack) deploy(region string, m *manifest.Manifest) error {
	if err := s.queues(region); err != nil {
		return err
	}
	for _, function := range slices.Sorted(maps.Keys(m.Resources)) {
		p := m.Resources[function].Props
		there := p.Region == s.home() && region != s.home() // what exists once, home having been deployed first
		if there || slices.Contains(s.o.Without, function) {
			continue
		}
		f, err := s.function(function, p)
		if err != nil {
			return err
		}
		if err := s.runtime.Deploy(f); err != nil {
			return err
		}
		d := Deployed{Region: f.Region, Function: function}
		for _, t := range p.Triggers {
			if err := s.trigger(f, t); err != nil {
				return fmt.Errorf("trigger %s of %s: %w", t.Name, function, err)
			}
			d.Triggers = append(d.Triggers, t.Name+" ("+t.Type+")")
		}
		s.deployed = append(s.deployed, d)
		if err := s.seed(f, p); err != nil {
			return fmt.Errorf("showing %s: %w", function, err)
		}
		fmt.Fprintf(s.o.Log, "deployed %s to %s\n", function, f.Region)
	}
	return nil
}

// function translates the manifest's props of a function.
func (s *Stack) function(short string, p manifest.Function) (fc.Function, error) {
	env := maps.Clone(p.EnvironmentVariables)
	if env == nil {
		env = map[string]string{}
	}
	env[policyVariable] = s.o.Policy
	env[EndpointVariable] = s.o.Server.URL()
	maps.Copy(env, s.o.Env)
	f := fc.Function{
		Account: server.Sharer, Region: p.Region, Name: p.FunctionName, Role: p.Role,
		Code: filepath.Join(s.o.BinDir, short), Handler: p.Handler,
		Memory: p.MemorySize, CPU: p.CPU, Timeout: time.Duration(p.Timeout) * time.Second,
		Reserved: given(p.ConcurrencyConfig.ReservedConcurrency), Env: env,
	}
	if a := p.AsyncInvokeConfig; a != nil {
		f.Async.Retries = *a.MaxAsyncRetryAttempts
		f.Async.MaxAge = time.Duration(a.MaxAsyncEventAgeInSeconds) * time.Second
		if to := a.DestinationConfig.OnFailure; to != nil {
			var err error
			if f.Async.OnFailure, err = s.destination(f, to.Destination); err != nil {
				return f, fmt.Errorf("the failure destination of %s: %w", short, err)
			}
		}
	}
	f.MayLog, f.Logged, f.Measured = s.mayLog(f, p.LogConfig), s.logged(f, p.LogConfig), s.measured(f, p.LogConfig)
	return f, nil
}

// Functions returns what is deployed, in order of region and name.
func (s *Stack) Functions() []Deployed { return s.deployed }

// BinDir has <function>/main for every function.
func (s *Stack) BinDir() string { return s.o.BinDir }

// LogDir is where the functions' output is.
func (s *Stack) LogDir() string { return s.o.LogDir }

// Invoke runs a function of a region once and waits for it.
func (s *Stack) Invoke(ctx context.Context, region, function string, payload []byte) (fc.Result, error) {
	return s.runtime.Invoke(ctx, region, s.cloudName(function), fc.Cause{Trigger: "invoke", Payload: payload})
}

// Kill ends a process of the function exactly at its nth API request from now.
func (s *Stack) Kill(function string, n int, when fc.When) {
	s.runtime.Kill(s.cloudName(function), n, when)
}

// Spare forgets the kills that are still to come.
func (s *Stack) Spare() { s.runtime.Spare() }

// Lengthen has invocations of the function last for d of virtual time from now on.
func (s *Stack) Lengthen(function string, d time.Duration) {
	s.runtime.Lengthen(s.cloudName(function), d)
}

// Close kills the functions and removes what is temporary.
func (s *Stack) Close() error {
	var err error
	if s.runtime != nil {
		err = s.runtime.Close()
	}
	if s.temp != "" {
		err = errors.Join(err, os.RemoveAll(s.temp))
	}
	return err
}

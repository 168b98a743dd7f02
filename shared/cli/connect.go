package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/fc"
	"fleetwarden/shared/aliyun/sts"
	"fleetwarden/shared/command"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/policy"
)

// defaultRegion is used when nothing names one.
const defaultRegion = "cn-hangzhou"

// region is where the person works: as the environment or the profile says.
func (t *tool) region() fleet.Region {
	profile := aliyun.ReadProfile(t.profile, t.env.Getenv).Region
	if t.profile != "" {
		return fleet.Region(profile)
	}
	return fleet.Region(cmp.Or(t.env.Getenv("ALIBABA_CLOUD_REGION_ID"), profile))
}

// open returns a call with the person's own keys and without a budget, since the person waits
// for it, in the policy's home region. Its first line on stderr says where it works.
func (t *tool) open(ctx context.Context) (*invocation.Invocation, error) {
	p, err := t.loadPolicy()
	if err != nil && t.Lenient {
		t.NoPolicy, p = err, policy.Default()
		p.HomeRegion = fleet.Region(t.env.Getenv(invocation.HomeVariable))
	} else if err != nil {
		return nil, command.BadSetting{Err: err}
	}
	home := fleet.Scope{Region: cmp.Or(p.HomeRegion, t.Region, defaultRegion)}
	if !home.Region.Valid() {
		return nil, command.BadSetting{Err: fmt.Errorf("%q is not the id of a region, such as %s: see ALIBABA_CLOUD_REGION_ID and the profile", home.Region, defaultRegion)}
	}
	credential, from, err := aliyun.FindCredentials(t.profile)
	if err != nil {
		return nil, err
	}
	cloud, err := aliyun.NewCloud(credential, t.env.Getenv(aliyun.EndpointVariable))
	if err != nil {
		return nil, command.BadSetting{Err: err}
	}
	cloud.Sleep = t.env.Sleep
	t.home = home.Region
	s := cloud.NewSession(math.MaxInt32)
	caller, err := sts.Caller(ctx, s, home.Region)
	if err != nil {
		return nil, fmt.Errorf("reading the account of the credentials: %w", err)
	}
	home.Account = caller.Account
	fmt.Fprintf(t.env.Stderr, "account %s, credentials from %s, region %s, policy %s\n",
		clean(string(home.Account)), clean(from), clean(string(cmp.Or(t.Region, home.Region))), clean(t.policyName()+": "+t.modes(p)))
	place, err := t.ledger(ctx, fc.New(s, home.Region))
	if err != nil {
		return nil, command.BadSetting{Err: err}
	}
	pass := ledger.Pass{Function: fleet.FunctionBackfill}
	inv := (&invocation.Process{Ledger: place}).Open(home, s, p, pass)
	inv.Caller = caller.ARN
	inv.Options.Inbox, inv.Options.Record = none{}, func(fleet.Record) error { return nil }
	inv.Options.Ledger = place.Open(s, home.Region, pass, nil) // it settles nothing that others left open
	return inv, nil
}

// loadPolicy reads the policy as a function would, from the file that is typed.
func (t *tool) loadPolicy() (*policy.Policy, error) {
	file := t.policy
	if file != "" {
		var err error
		if file, err = filepath.Abs(file); err != nil {
			return nil, fmt.Errorf("finding the policy file: %w", err)
		}
	}
	return invocation.LoadPolicy(func(name string) string {
		if name == invocation.PolicyVariable && file != "" {
			return file
		}
		return t.env.Getenv(name)
	})
}

func (t *tool) policyName() string {
	return cmp.Or(t.policy, t.env.Getenv(invocation.PolicyVariable), "of the program")
}

// modes says in which mode the controls are, in one word if that is one.
func (t *tool) modes(p *policy.Policy) string {
	if t.NoPolicy != nil {
		return "not read: " + t.NoPolicy.Error()
	}
	var all, each []string
	for _, c := range policy.Controls() {
		mode := string(p.ModeOf(c))
		if p.Partly(c) {
			mode += " and enforceFor"
		}
		all, each = append(all, mode), append(each, c+" "+mode)
	}
	if slices.Sort(all); len(slices.Compact(all)) == 1 {
		return all[0]
	}
	return strings.Join(each, ", ")
}

// ledger is that of the environment, else that of the deployment.
func (t *tool) ledger(ctx context.Context, functions *fc.Client) (invocation.LedgerPlace, error) {
	address := t.env.Getenv(invocation.LedgerVariable)
	deployed := func(ctx context.Context) (string, error) {
		f, err := functions.Get(ctx, fleet.CloudName(fleet.FunctionBackfill))
		if err != nil {
			return "", fmt.Errorf("reading where the functions have their ledger: %w", err)
		}
		return f.Environment[invocation.LedgerVariable], nil
	}
	if address == "" {
		var err error
		if address, err = deployed(ctx); err != nil { // a command that needs a ledger says so
			t.NoLedger = err
		}
	}
	place, err := invocation.ParseLedger(address)
	t.Owners = func(ctx context.Context) error {
		theirs, err := deployed(ctx)
		switch {
		case fleet.ClassOf(err) == fleet.Denied:
			fmt.Fprintf(t.env.Stderr, "warning: %s; that it is %s was not checked\n", clean(err.Error()), clean(address))
			return nil
		case fleet.ClassOf(err) == fleet.NotFound:
			return fmt.Errorf("there is no function %s in %s that could have changes made: see make deploy", fleet.CloudName(fleet.FunctionBackfill), t.home)
		case err != nil:
			return err
		}
		there, err := invocation.ParseLedger(theirs)
		if err == nil && there.Address("") != place.Address("") {
			err = command.Elsewhere{Err: fmt.Errorf("the functions have their ledger in %s, and %s is %s: nothing that they do would be seen", there.Address(""), invocation.LedgerVariable, address)}
		}
		return err
	}
	return place, err
}

// none is the inbox of a command that has none.
type none struct{}

var errNoInbox = errors.New("a command in a terminal has no inbox")

// Again implements reconcile.Inbox.
func (none) Again(_ context.Context, refs []fleet.Ref, _ time.Duration) error {
	return fmt.Errorf("re-queuing %d checks: %w", len(refs), errNoInbox)
}

// Forward implements reconcile.Inbox.
func (none) Forward(_ context.Context, cs []fleet.Change) error {
	return fmt.Errorf("forwarding %d changes: %w", len(cs), errNoInbox)
}

// hint returns advice about an error; "" without any.
func hint(err error) string {
	switch fleet.ClassOf(err) {
	case fleet.Denied:
		return "check the credentials, and what their RAM user or role may do"
	case fleet.Unavailable:
		return "check the network, and " + aliyun.EndpointVariable + " if it is set"
	}
	return ""
}

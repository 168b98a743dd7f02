package terminal

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/sts"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/policy"
)

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // a check was not possible, or output was lost
	exitUsage  = 2
)

// Env is the environment of a terminal command.
type Env struct {
	Args           []string // without the program's name
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	// Sleep waits between checks, and between tries of a call; nil means real time.
	Sleep func(ctx context.Context, d time.Duration) error
}

// Main runs f once, as the arguments say, and returns the exit code.
func Main(ctx context.Context, f invocation.Function, env Env) int {
	fl, err := parse(f, env)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		fmt.Fprintf(env.Stderr, "%s: %s\n", program(f), Clean(err.Error()))
		return exitUsage
	}
	if err := run(ctx, f, fl, env); err != nil {
		fmt.Fprintf(env.Stderr, "%s: %s\n", program(f), CleanLines(err.Error()))
		if hint := Hint(err); hint != "" {
			fmt.Fprintf(env.Stderr, "  %s\n", hint)
		}
		if errors.As(err, new(noEvent)) {
			return exitUsage
		}
		return exitFailed
	}
	return exitOK
}

func run(ctx context.Context, f invocation.Function, fl flags, env Env) error {
	p, err := loadPolicy(fl, env)
	if err != nil {
		return err
	}
	payload, err := readEvent(fl, env)
	if err != nil {
		return err
	}
	cloud, err := connect(env)
	if err != nil {
		return err
	}
	home, err := whereAmI(ctx, cloud.NewSession(0), fl)
	if err != nil {
		return err
	}
	if payload == nil {
		payload = f.Wakes
	}
	if payload == nil {
		if payload, err = json.Marshal(messages(fl.ids, home)); err != nil {
			return fmt.Errorf("writing a message: %w", err)
		}
	}
	place, err := invocation.ParseLedger(env.Getenv(invocation.LedgerVariable))
	if err != nil {
		return err
	}
	t := &session{f: f, fl: fl, env: env, cloud: cloud, policy: p, home: home, out: newOutput(f, fl, env.Stdout),
		process: invocation.Process{Ledger: place, LedgerRegion: p.HomeRegion}, run: "terminal-" + strings.ToLower(rand.Text()[:10])}
	return t.untilSettled(ctx, payload)
}

func loadPolicy(fl flags, env Env) (*policy.Policy, error) {
	if fl.policy != "" {
		return invocation.ReadPolicy(fl.policy)
	}
	return invocation.LoadPolicy(env.Getenv)
}

func connect(env Env) (*aliyun.Cloud, error) {
	// The credentials chain would fall back on IMDSv1, which any server-side request
	// forgery on the instance can read.
	if os.Getenv("ALIBABA_CLOUD_IMDSV1_DISABLED") == "" {
		if err := os.Setenv("ALIBABA_CLOUD_IMDSV1_DISABLED", "true"); err != nil {
			return nil, fmt.Errorf("switching IMDSv1 off: %w", err)
		}
	}
	credential, err := aliyun.DefaultChain()
	if err != nil {
		return nil, err
	}
	cloud, err := aliyun.NewCloud(credential, env.Getenv(aliyun.EndpointVariable))
	if err != nil {
		return nil, err
	}
	cloud.Sleep = env.Sleep
	return cloud, nil
}

// whereAmI reads the account of the keys: an event is for an account that the policy names,
// or for our own.
func whereAmI(ctx context.Context, s *aliyun.Session, fl flags) (fleet.Scope, error) {
	account, err := sts.CallerAccount(ctx, s, fleet.Region(fl.region))
	if err != nil {
		return fleet.Scope{}, fmt.Errorf("reading the account of the credentials: %w", err)
	}
	return fleet.Scope{Account: account, Region: fleet.Region(fl.region)}, nil
}

// Hint returns advice about an error; "" without any.
func Hint(err error) string {
	if no, ok := errors.AsType[noEvent](err); ok {
		return no.hint()
	}
	switch fleet.ClassOf(err) {
	case fleet.Denied:
		return "check the keys in ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET (or \"aliyun configure\"), and what their RAM user may do"
	case fleet.Unavailable:
		return "check the network, and " + aliyun.EndpointVariable + " if it is set"
	}
	return ""
}

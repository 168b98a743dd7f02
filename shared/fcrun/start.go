package fcrun

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"os"
	"runtime/debug"
	"time"

	"github.com/aliyun/fc-runtime-go-sdk/fc"
	"github.com/aliyun/fc-runtime-go-sdk/fccontext"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/reconcile"
	"fleetwarden/shared/report"
)

// runtimeVariable is what Function Compute gives a function's process.
const runtimeVariable = "FC_RUNTIME_API"

// Start serves invocations until the platform ends the process. Records go to
// stdout, one a line, which is the function's log.
func Start(f invocation.Function) {
	if os.Getenv(runtimeVariable) == "" {
		fmt.Fprintln(os.Stderr, f.Name+" is a function of Function Compute, and does not run by itself; the tool to type is fleetwarden")
		os.Exit(2)
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil)).With("function", f.Name)
	keys := &aliyun.Renewable{}
	cloud, err := aliyun.NewCloud(keys, os.Getenv(aliyun.EndpointVariable))
	if err != nil {
		log.Error("starting", "error", err)
		os.Exit(1)
	}
	r := &runner{f: f, cloud: cloud, keys: keys, lines: report.NewLines(os.Stdout), log: log}
	if info, ok := debug.ReadBuildInfo(); ok {
		r.version = info.Main.Version
	}
	if r.process.Ledger, err = invocation.ParseLedger(os.Getenv(invocation.LedgerVariable)); err != nil {
		log.Error("starting", "error", err)
		os.Exit(1)
	}
	if r.policy, r.broken = invocation.LoadPolicy(os.Getenv); r.broken != nil {
		log.Error("starting without a policy: nothing will be written", "error", r.broken)
	}
	fc.Start(r.serve)
}

// margin is how long before the deadline a pass stops taking batches: enough for one
// batch's reads and writes, with their waits, and for re-queuing the rest.
const margin = 15 * time.Second

// runner serves invocations; several at once when instance concurrency is above 1.
type runner struct {
	f       invocation.Function
	cloud   *aliyun.Cloud
	keys    *aliyun.Renewable
	policy  *policy.Policy
	broken  error // why the policy cannot be used
	process invocation.Process
	version string // of the build
	lines   *report.Lines
	log     *slog.Logger
}

func (r *runner) serve(ctx context.Context, payload []byte) (sum fleet.Pass, err error) {
	fcx, ok := fccontext.FromContext(ctx)
	if !ok {
		return sum, fmt.Errorf("the platform gave no invocation context")
	}
	log := r.log.With("request", fcx.RequestID)
	defer func() {
		if p := recover(); p != nil {
			// The panic's value may quote decoded input: it is not logged.
			log.Error("panic", "type", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic of type %T in request %s; the stack is in the log", p, fcx.RequestID)
		}
	}()
	r.keys.Renew(aliyun.Keys{AccessKeyID: fcx.Credentials.AccessKeyId, AccessKeySecret: fcx.Credentials.AccessKeySecret, SecurityToken: fcx.Credentials.SecurityToken})
	inv, err := r.open(fcx, payload)
	if err != nil {
		return sum, err
	}
	if r.broken != nil {
		return sum, r.refuse(inv.Options)
	}
	copies, notices := r.copies(ctx, inv), r.notices(inv)
	inv.Notify = copies.notify
	inv.Options.Record = func(rec fleet.Record) error {
		notices.record(rec)
		return copies.record(rec)
	}
	began := time.Now()
	sum, err = r.f.Handle(ctx, inv)
	if sum.DurationMS == 0 { // not every function measures its duration
		sum.DurationMS = time.Since(began).Milliseconds()
	}
	if err != nil {
		log.Error("invocation failed", "error", err)
	}
	if cerr := copies.end(); cerr != nil {
		log.Error("copying findings", "error", cerr)
	}
	if nerr := r.handOver(ctx, notices, inv); nerr != nil {
		log.Error("notifying of findings", "error", nerr)
	}
	return sum, r.close(inv.Options, sum, err)
}

func (r *runner) open(fcx *fccontext.FcContext, payload []byte) (*invocation.Invocation, error) {
	home := fleet.Scope{Account: fleet.AccountID(fcx.AccountId), Region: fleet.Region(fcx.Region)}
	inv := r.process.Open(home, r.session(), r.policy, ledger.Pass{
		Function: r.f.Name, Request: fcx.RequestID, Payload: payload, Repeated: fcx.RetryCount > 0,
	})
	inbox, err := inv.InboxIn(r.f.Name, home.Region)
	if err != nil {
		return nil, err
	}
	inv.Log = r.lines.Record
	o := &inv.Options
	o.Inbox, o.Record, o.Margin, o.CallsPerBatch = inbox, r.lines.Record, margin, 50
	o.Stamp.Request, o.Stamp.Version = fcx.RequestID, r.version
	return inv, nil
}

// session has the policy's budget for one invocation. Calls to the store are limited by
// time only: records grow with the fleet, and a report that takes more calls than the
// budget would never be written.
func (r *runner) session() *aliyun.Session {
	switch {
	case r.f.Unbounded:
		return r.cloud.NewSession(math.MaxInt32)
	case r.policy == nil:
		return r.cloud.NewSession(0)
	}
	s := r.cloud.NewSession(r.policy.Pacing.CallsPerInvocation)
	limits := map[string]int{"GetObject": math.MaxInt32, "ListObjects": math.MaxInt32, "PutObject": math.MaxInt32}
	maps.Copy(limits, r.policy.Pacing.Calls)
	s.Limit(limits)
	return s
}

// refuse handles an invocation without a usable policy: it reports a finding and an error,
// so that the platform's retries and dead letters keep the payload.
func (r *runner) refuse(o reconcile.Options) error {
	rec := o.Stamp
	rec.Type, rec.Time = "finding", o.Meter.Now()
	rec.Finding = &fleet.FindingRecord{Rule: "policy", Outcome: fleet.Fault, Severity: fleet.Critical,
		Reason: r.broken.Error(), Remedy: "repair the policy file and deploy again; until then nothing is checked"}
	if err := o.Record(rec); err != nil {
		return err
	}
	return fmt.Errorf("the policy cannot be used: %w", r.broken)
}

func (r *runner) close(o reconcile.Options, sum fleet.Pass, err error) error {
	rec := o.Stamp
	rec.Type, rec.Time, rec.Pass = "pass", o.Meter.Now(), &sum
	if rerr := o.Record(rec); rerr != nil && err == nil {
		return rerr
	}
	return err
}

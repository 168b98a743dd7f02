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
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/queue"
	"fleetwarden/shared/reconcile"
	"fleetwarden/shared/report"
)

// Inside reports whether the process was started by Function Compute.
func Inside() bool { return os.Getenv("FC_RUNTIME_API") != "" }

// Start serves invocations until the platform ends the process. Records go to
// stdout, one a line, which is the function's log.
func Start(f Function) {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil)).With("function", f.Name)
	keys := &aliyun.Renewable{}
	cloud, err := aliyun.NewCloud(keys, os.Getenv(aliyun.EndpointVariable))
	if err != nil {
		log.Error("starting", "error", err)
		os.Exit(1)
	}
	r := &runner{f: f, cloud: cloud, keys: keys, lines: report.NewLines(os.Stdout), log: log}
	if r.ledger, err = ParseLedger(os.Getenv(LedgerVariable)); err != nil {
		log.Error("starting", "error", err)
		os.Exit(1)
	}
	if r.policy, r.broken = LoadPolicy(os.Getenv); r.broken != nil {
		log.Error("starting without a policy: nothing will be written", "error", r.broken)
	}
	fc.Start(r.serve)
}

// runner serves invocations; several at once when instance concurrency is above 1.
type runner struct {
	f      Function
	cloud  *aliyun.Cloud
	keys   *aliyun.Renewable
	policy *policy.Policy
	broken error // why the policy cannot be used
	ledger LedgerPlace
	watch  ledger.Watch
	others Members
	lines  *report.Lines
	log    *slog.Logger
	open   connections
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
	call, err := r.call(fcx, payload)
	if err != nil {
		return sum, err
	}
	if r.broken != nil {
		return sum, r.refuse(call.Options)
	}
	copies := r.copies(ctx, call)
	call.Options.Record, call.Notify = copies.record, copies.notify
	began := time.Now()
	sum, err = r.f.Handle(ctx, call)
	if sum.DurationMS == 0 { // not every function measures its duration
		sum.DurationMS = time.Since(began).Milliseconds()
	}
	if err != nil {
		log.Error("invocation failed", "error", err)
	}
	if cerr := copies.end(); cerr != nil {
		log.Error("copying findings", "error", cerr)
	}
	return sum, r.close(call.Options, sum, err)
}

func (r *runner) call(fcx *fccontext.FcContext, payload []byte) (*Call, error) {
	home := fleet.Scope{Account: fleet.AccountID(fcx.AccountId), Region: fleet.Region(fcx.Region)}
	session := r.session()
	c := &Call{Payload: payload, Home: home, Session: session, Members: &r.others, open: &r.open}
	client, err := c.queuesIn(home)
	if err != nil {
		return nil, err
	}
	inbox := queue.New(client, r.f.Name)
	c.Options = reconcile.Options{
		Meter: session, Inbox: inbox, Record: r.lines.Record, Margin: margin, CallsPerBatch: 50,
		Stamp: fleet.Record{Run: fcx.RequestID, Request: fcx.RequestID, Function: r.f.Name},
	}
	c.Log, c.Place = r.lines.Record, r.ledger
	c.Store = r.ledger.Store(session, home.Region)
	c.Options.Ledger = r.ledger.Open(session, home.Region, ledger.Pass{
		Function: r.f.Name, Request: fcx.RequestID, Payload: payload, Repeated: fcx.RetryCount > 0,
	}, &r.watch)
	if r.policy != nil {
		c.Options.Policy = r.policy.WithHome(home.Account)
		c.Options.Stamp.Policy = r.policy.Digest
	}
	return c, nil
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
	rec.V, rec.Type, rec.Time = fleet.RecordVersion, "finding", o.Meter.Now()
	rec.Finding = &fleet.FindingRecord{Rule: "policy", Outcome: fleet.Fault, Severity: fleet.Critical,
		Reason: r.broken.Error(), Remedy: "repair the policy file and deploy again; until then nothing is checked"}
	if err := o.Record(rec); err != nil {
		return err
	}
	return fmt.Errorf("the policy cannot be used: %w", r.broken)
}

func (r *runner) close(o reconcile.Options, sum fleet.Pass, err error) error {
	rec := o.Stamp
	rec.V, rec.Type, rec.Time, rec.Pass = fleet.RecordVersion, "pass", o.Meter.Now(), &sum
	if rerr := o.Record(rec); rerr != nil && err == nil {
		return rerr
	}
	return err
}

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"fleetwarden/events"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rules/instances"
)

// karpenter is what Karpenter's interruption controller (karpenter-provider-aws
// 1d927085d) does in events a second when nothing matches: 2 cores, its queue and
// cluster in memory, measured once with Go 1.26.8. It is not measured again here.
const karpenter = 45_000

// window is how many messages a stream delivers at once.
const window = 100

// noMatch measures from bytes to verdicts: windows of state changes, as an inbox
// delivers them, of ordinary instances that no rule applies to. Only reading the
// cloud is left out, as it is from Karpenter's number.
func (s *summary) noMatch(root string, n sizes) error {
	payload, err := stateChanges(root)
	if err != nil {
		return err
	}
	p := policy.Default().WithHome(account)
	if err := judgeWindow(payload, p); err != nil {
		return err
	}
	rates := make([]float64, n.rounds)
	for i := range rates {
		if rates[i], err = rate(50*n.rounds, func() error { return judgeWindow(payload, p) }); err != nil {
			return err
		}
	}
	s.NoMatchPerS = median(rates) * window
	return nil
}

// rate runs j on each core runs times, and returns how often a second that was.
func rate(runs int, j job) (float64, error) {
	cores := runtime.GOMAXPROCS(0)
	errs := make([]error, cores)
	var work sync.WaitGroup
	begun := time.Now()
	for c := range cores {
		work.Go(func() {
			for r := 0; r < runs && errs[c] == nil; r++ {
				errs[c] = j()
			}
		})
	}
	work.Wait()
	took := time.Since(begun)
	for _, err := range errs {
		if err != nil {
			return 0, err
		}
	}
	return float64(cores*runs) / took.Seconds(), nil
}

// judgeWindow is the way of attach-role from bytes to verdicts.
func judgeWindow(payload []byte, p *policy.Policy) error {
	judged := 0
	for b, err := range events.Batches(events.Decode(payload), receiver{p}, fleet.FunctionNamed(fleet.FunctionAttachRole)) {
		if err != nil {
			return err
		}
		for _, v := range instances.Role(ordinary(b), p) {
			if v.Outcome != fleet.NotApplicable {
				return fmt.Errorf("an ordinary instance gave %s: %s", v.Outcome, v.Reason)
			}
			judged++
		}
	}
	if judged != window {
		return fmt.Errorf("%d verdicts on %d instances", judged, window)
	}
	return nil
}

// receiver reaches each account of a policy.
type receiver struct{ *policy.Policy }

func (r receiver) Reaches(a fleet.AccountID) bool { return r.Knows(a) }
func (receiver) Requeue([]byte) error             { return nil }

// ordinary is a world where the batch's instances are there, have no role and are not
// meant to be trusted.
func ordinary(b fleet.Batch) *fleet.World {
	w := &fleet.World{Scope: b.Scope, At: noon, Instances: make([]fleet.Instance, len(b.Refs))}
	for i, r := range b.Refs {
		w.Instances[i] = fleet.Instance{Ref: r, Gone: fleet.See(false), RoleName: fleet.See(""), Listed: fleet.See(fleet.Listing{
			Status: "Running", Type: "ecs.g7.large", Family: "ecs.g7", VPC: "vpc-1", VSwitch: "vsw-1", Created: noon.Add(-time.Hour),
		})}
	}
	return w
}

// stateChanges is a window of an inbox: EventBridge's own event, as text, in the
// queue's element, as in the sample but that each is of another instance.
func stateChanges(root string) ([]byte, error) {
	text, err := compactSample(root, "window-of-events.json")
	if err != nil {
		return nil, err
	}
	var elements []json.RawMessage
	if err := json.Unmarshal(text, &elements); err != nil || len(elements) == 0 {
		return nil, fmt.Errorf("the sample of a window is none: %v", err)
	}
	var out [][]byte
	for i := range window {
		out = append(out, bytes.Replace(elements[0], []byte("i-bp1a2b3c4d5e6f7g8h9i"), fmt.Appendf(nil, "i-bp1a2b3c4d5e6f7g%04d", i), 1))
	}
	return slices.Concat([]byte("["), bytes.Join(out, []byte(",")), []byte("]")), nil
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stage"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rampolicy"
)

const launchedAtOnce = 100

// floor is the least that attaching one role to n instances takes: the instances
// (100 a call), their roles (50 a call), the attachments (100), reading them back
// (50), and 3 calls for the role with its policy.
func floor(n int) int { return pages(n, 100) + pages(n, 50) + pages(n, 100) + pages(n, 50) + 3 }

func pages(n, size int) int { return (n + size - 1) / size }

// launch counts the API calls that attach-role sends for a launch on the local
// cloud, where the role stands already and the process runs: a process's first pass
// looks once more, for what a pass before it may have left open in the ledger.
func (s *summary) launch(ctx context.Context, root, bin string) (err error) {
	st, err := stage.Open(ctx, stage.Options{Root: root, BinDir: bin})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	documents := map[string]string{policy.PolicyLeast: rampolicy.SysTrustPolicy()}
	if err := st.Server.RAM.AddRole(server.Sharer, policy.SystrustRole, rampolicy.ECSTrust(), documents); err != nil {
		return err
	}
	if err := launchAndSettle(ctx, st, 1); err != nil {
		return err
	}
	_, warm, err := attached(st, "")
	if err != nil {
		return err
	}
	before := total(st)
	if err := launchAndSettle(ctx, st, launchedAtOnce); err != nil {
		return err
	}
	s.LaunchSettledCalls = total(st) - before
	s.LaunchFloor = floor(launchedAtOnce)
	s.LaunchCalls, err = callsUntilAttached(st, warm)
	return err
}

func launchAndSettle(ctx context.Context, st *stage.Stage, n int) error {
	if _, err := st.Run(ctx, stage.Launch{Region: server.Home, Type: "ecs.g7t.large", Image: "aliyun_3_x64_20G_uefi_alibase_20230727.vhd",
		Category: "cloud_essd", VSwitch: "vsw-local", Amount: n, Trusted: "vTPM"}); err != nil {
		return err
	}
	return st.Settle(ctx)
}

func total(st *stage.Stage) (n int) {
	for _, count := range st.Calls("fleetwarden-attach-role") {
		n += count
	}
	return n
}

// attached counts the roles attached by requests after one, and names the last of them.
// The platform counts requests.
func attached(st *stage.Stage, after string) (n int, last string, err error) {
	records, err := st.Records()
	for _, r := range records {
		if r["request"] > after && r.Match(map[string]string{"type": "change", "kind": "attach-role", "state": "done"}) {
			n, last = n+1, max(last, r["request"])
		}
	}
	return n, last, err
}

// callsUntilAttached counts the calls of the passes after one and up to the last that
// attached a role. Later ones look again, since each new instance also says that it
// runs; so do those of the launch before, which is why they are left out by name.
func callsUntilAttached(st *stage.Stage, after string) (int, error) {
	n, last, err := attached(st, after)
	if err != nil {
		return 0, err
	}
	if n != launchedAtOnce {
		return 0, fmt.Errorf("launching %d: %d roles were attached", launchedAtOnce, n)
	}
	first, err := firstOf(st, after)
	if err != nil {
		return 0, err
	}
	records, err := st.Records()
	if err != nil {
		return 0, err
	}
	calls := 0
	for _, r := range records {
		if !r.Match(map[string]string{"type": "pass", "function": "attach-role"}) || r["request"] < first || r["request"] > last {
			continue
		}
		var byName map[string]map[string]int // by API and result
		if err := json.Unmarshal([]byte(r["calls"]), &byName); err != nil {
			return 0, fmt.Errorf("reading the calls of a pass: %w", err)
		}
		for _, results := range byName {
			for _, count := range results {
				calls += count
			}
		}
	}
	return calls, nil
}

// firstOf names the first request after one that attached a role.
func firstOf(st *stage.Stage, after string) (string, error) {
	records, err := st.Records()
	first := ""
	for _, r := range records {
		if r["request"] > after && (first == "" || r["request"] < first) && r.Match(map[string]string{"type": "change", "kind": "attach-role", "state": "done"}) {
			first = r["request"]
		}
	}
	return first, err
}

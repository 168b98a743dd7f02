package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"fleetwarden/deploy/local/stage"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rampolicy"
	"fleetwarden/test/simcloud/server"
)

const launchedAtOnce = 100

// floor is the least that attaching one role to n instances takes: the instances
// (100 a call), their roles (50 a call), the attachments (100), reading them back
// (50), and 3 calls for the role with its policy.
func floor(n int) int { return pages(n, 100) + pages(n, 50) + pages(n, 100) + pages(n, 50) + 3 }

func pages(n, size int) int { return (n + size - 1) / size }

// launch counts the API calls that attach-role sends for a launch on the local
// cloud, where the role stands already.
func (s *summary) launch(ctx context.Context, root string) (err error) {
	st, err := stage.Open(ctx, stage.Options{Root: root})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	documents := map[string]string{policy.PolicyLeast: rampolicy.SysTrustPolicy()}
	if err := st.Server.RAM.AddRole(server.Sharer, policy.SystrustRole, rampolicy.ECSTrust(), documents); err != nil {
		return err
	}
	if _, err := st.Run(ctx, stage.Launch{Region: server.Home, Type: "ecs.g7t.large", Image: "aliyun_3_x64_20G_uefi_alibase_20230727.vhd",
		Category: "cloud_essd", VSwitch: "vsw-local", Amount: launchedAtOnce, Trusted: "vTPM"}); err != nil {
		return err
	}
	if err := st.Settle(ctx); err != nil {
		return err
	}
	for _, count := range st.Calls("fleetwarden-attach-role") {
		s.LaunchSettledCalls += count
	}
	s.LaunchFloor = floor(launchedAtOnce)
	s.LaunchCalls, err = callsUntilAttached(st)
	return err
}

// callsUntilAttached counts the calls of the passes up to the last one that attached
// a role. Later ones look again, since each new instance also says that it runs.
func callsUntilAttached(st *stage.Stage) (int, error) {
	records, err := st.Records()
	if err != nil {
		return 0, err
	}
	attached, last := 0, ""
	for _, r := range records {
		if r.Match(map[string]string{"type": "change", "kind": "attach-role", "state": "done"}) {
			attached++
			last = max(last, r["request"]) // the platform counts requests
		}
	}
	if attached != launchedAtOnce {
		return 0, fmt.Errorf("launching %d: %d roles were attached", launchedAtOnce, attached)
	}
	calls := 0
	for _, r := range records {
		if !r.Match(map[string]string{"type": "pass", "function": "attach-role"}) || r["request"] > last {
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

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path"
	"slices"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stack"
	"fleetwarden/deploy/local/stage"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/report"
)

// repaired asks the cloud whether all that could be repaired was: a sweep that does not
// converge has no cost.
func (s *swept) repaired(ctx context.Context, st *stage.Stage, seeded *ecs.Fleet) error {
	for ids := range slices.Chunk(seeded.Drifted["noRole"], 50) {
		got, err := ask(ctx, st, "2014-05-26", "DescribeInstanceRamRole", map[string]string{"RegionId": server.Home, "InstanceIds": text(ids), "PageSize": "50"})
		if err != nil {
			return err
		}
		for _, set := range got.RoleSets.Set {
			if set.RoleName == ecs.FleetRole {
				s.Repaired["noRole"]++
			}
		}
	}
	for ids := range slices.Chunk(seeded.Drifted["noAgent"], 100) {
		var criteria []map[string]string
		for _, id := range ids {
			criteria = append(criteria, map[string]string{"name": "instanceId", "value": id})
		}
		got, err := ask(ctx, st, "2018-12-03", "DescribeCloudCenterInstances", map[string]string{"Criteria": text(criteria), "LogicalExp": "OR", "PageSize": "100"})
		if err != nil {
			return err
		}
		for _, m := range got.Machines {
			if m.ClientStatus == "online" {
				s.Repaired["noAgent"]++
			}
		}
	}
	for _, kind := range []string{"noRole", "noAgent"} {
		if n := len(seeded.Drifted[kind]); s.Repaired[kind] != n {
			return fmt.Errorf("sweeping %d instances: of %d with %s, %d were repaired", s.Instances, n, kind, s.Repaired[kind])
		}
	}
	return nil
}

// reported compares the report with itself: what the summary counts as not fine stands in
// the tables, once.
func (s *night) reported(st *stage.Stage) error {
	var sum report.Summary
	var err error
	for _, key := range st.Server.OSS.Keys(stack.Bucket, "ledger/reports/") {
		body := st.Server.OSS.Object(stack.Bucket, key)
		switch path.Ext(key) {
		case ".json":
			if sum, err = report.DecodeSummary(body); err != nil {
				return err
			}
		case ".jsonl":
			s.Findings += bytes.Count(body, []byte("\n"))
		}
	}
	want := len(sum.Remarks())
	for _, shard := range sum.Shards {
		for _, c := range shard.Counts {
			if c.Reason == "" && c.Outcome != fleet.Passes && c.Outcome != fleet.NotApplicable {
				want += c.N
			}
		}
	}
	if want == 0 || s.Findings != want {
		return fmt.Errorf("sweeping %d instances: the report has %d findings, and counts %d", s.Instances, s.Findings, want)
	}
	return nil
}

// answers are the cloud's answers to the operator about instances.
type answers struct {
	RoleSets struct {
		Set []struct {
			RoleName string `json:"RamRoleName"`
		} `json:"InstanceRamRoleSet"`
	} `json:"InstanceRamRoleSets"`
	Machines []struct {
		ClientStatus string `json:"ClientStatus"`
	} `json:"Instances"`
}

func ask(ctx context.Context, st *stage.Stage, version, action string, params map[string]string) (a answers, err error) {
	body, err := st.Call(ctx, stage.Operator, version, action, params)
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal([]byte(text(body)), &a); err != nil {
		return a, fmt.Errorf("reading the answer of %s: %w", action, err)
	}
	return a, nil
}

// text is v as JSON, of types that always have such a form.
func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

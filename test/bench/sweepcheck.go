package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"fleetwarden/deploy/local/stage"
	"fleetwarden/test/simcloud/ecs"
	"fleetwarden/test/simcloud/server"
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

// answers are what the operator is told of instances.
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

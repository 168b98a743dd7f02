package main

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"fleetwarden/deploy/local/simcloud/wire"
	"fleetwarden/deploy/local/stack"
)

// This file has the steps of operators and others with instances. A refused one changes nothing.

// few are the first n instances of a group.
func (p *player) few(s Step) []*instance {
	all := p.m.group(s.Group)
	return all[:min(s.N, len(all))]
}

// power stops, starts or releases instances. What is refused changes nothing.
func (p *player) power(_ context.Context, s Step) error {
	for _, i := range p.few(s) {
		params := map[string]string{"InstanceId": i.id}
		action := map[Do]string{Stop: "StopInstance", Start: "StartInstance", Release: "DeleteInstance"}[s.Do]
		if s.Do != Start {
			params["Force"] = "true"
		}
		if s.Do == Stop {
			params = map[string]string{"InstanceId": i.id, "StoppedMode": "KeepCharging"}
		}
		_, err := p.call(i.account, "2014-05-26", action, i.region, params)
		i.released = i.released || s.Do == Release && err == nil
		i.again = s.Do == Start && err == nil || i.again && err != nil
	}
	return nil
}

// edit changes the roles of instances, as a user does.
func (p *player) edit(_ context.Context, s Step) error {
	for _, i := range p.few(s) {
		now, ok := p.Server.ECS.Instance(i.account, i.region, i.id)
		if !ok {
			continue
		}
		action, role := "AttachInstanceRamRole", called(i.account, s.Role)
		if s.Do == Detach {
			action, role = "DetachInstanceRamRole", now.Role
		}
		if (now.Role == "") == (s.Do == Detach) {
			continue
		}
		if _, err := p.call(i.account, "2014-05-26", action, i.region, map[string]string{"InstanceIds": `["` + i.id + `"]`, "RamRoleName": role}); err == nil {
			i.role, i.edits, i.again = called(i.account, s.Role), i.edits+1, false
		}
	}
	return nil
}

// strip takes all policies from the systrust role.
func (p *player) strip(_ context.Context, s Step) error {
	for name, kind := range p.policies(s.account(), systrust) {
		_, _ = p.call(s.account(), "2015-05-01", "DetachPolicyFromRole", "", map[string]string{"RoleName": systrust, "PolicyName": name, "PolicyType": kind})
	}
	return nil
}

func (p *player) agents(_ context.Context, s Step) error {
	for _, i := range p.few(s) {
		if _, there := p.Server.ECS.Instance(i.account, i.region, i.id); !there {
			continue
		}
		if err := p.Server.SAS.SetAgent(i.account, i.id, s.Agent); err != nil {
			return err
		}
		i.agent, i.agentAt, i.breaks = s.Agent, p.now(), i.breaks+1
	}
	return nil
}

// tokens has instances answer for metadata with tokens only, or without.
func (p *player) tokens(_ context.Context, s Step) error {
	for _, i := range p.few(s) {
		_, err := p.call(i.account, "2014-05-26", "ModifyInstanceMetadataOptions", i.region, map[string]string{"InstanceId": i.id, "HttpEndpoint": "enabled", "HttpTokens": s.Kind})
		if err == nil && i.judged() {
			i.turn("imds", s.Kind == "optional", p.now())
		}
	}
	return nil
}

// race gives an instance the role that attach-role is about to give it, right before.
func (p *player) race(context.Context, Step) error {
	next, once := p.Server.Witness(), sync.Once{}
	p.Server.SetWitness(func(c *wire.Call, after bool) bool {
		drop := next.Drops(c, after)
		if function, _ := stack.FunctionOf(c.Caller); !after && c.Action == "AttachInstanceRamRole" && function == "attach-role" {
			once.Do(func() { p.faster(c) })
		}
		return drop
	})
	return nil
}

func (p *player) faster(c *wire.Call) {
	var ids []string
	if json.Unmarshal([]byte(c.Params["InstanceIds"]), &ids) != nil || len(ids) == 0 {
		return
	}
	role := c.Params["RamRoleName"]
	_, err := p.Call(context.Background(), keysOf(c.Caller.Account), "2014-05-26", "AttachInstanceRamRole",
		map[string]string{"RegionId": c.Region, "InstanceIds": `["` + ids[0] + `"]`, "RamRoleName": role})
	if err == nil {
		p.won.Store(ids[0], role)
	}
}

// settleRaces notes what others were faster to do, and who died.
func (p *player) settleRaces() {
	for id, role := range p.won.Range {
		if i := p.m.byID(id.(string)); i != nil {
			i.role, i.edits = role.(string), i.edits+1
			p.won.Delete(id)
		}
	}
	for at, function := range p.deaths.Range {
		p.m.troubles = append(p.m.troubles, trouble{from: at.(time.Time), to: at.(time.Time).Add(time.Minute), died: function.(string)})
		p.deaths.Delete(at)
	}
}

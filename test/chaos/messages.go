package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/server"
)

// forge sends a message about instances, said to have been tried often and for long.
func (p *player) forge(_ context.Context, s Step) error {
	all := p.m.group(s.Group)
	return p.lookAt(all[:min(len(all), 90)], s.Function, map[string]any{"try": 9, "firstSeen": "2020-01-01T00:00:00Z", "run": "forged"}, "i-forged00000000000000")
}

// lookAt sends a message that has a function look at instances, a hundred at most, and at
// others, with some members more.
func (p *player) lookAt(all []*instance, function string, message map[string]any, ids ...string) error {
	if len(all) == 0 {
		return nil
	}
	for _, i := range all {
		ids = append(ids, i.id)
	}
	message["v"], message["scope"] = 1, map[string]string{"account": all[0].account, "region": all[0].region}
	message["kind"], message["ids"] = "instance", ids
	return p.send(all[0].region, function, inJSON(message))
}

// send puts a message into a function's inbox; where there is none, nowhere.
func (p *player) send(region, function, body string) error {
	if !slices.Contains(p.regions, region) {
		return nil
	}
	_, err := p.Server.MNS.Send(mns.Queue{Account: server.Sharer, Region: region, Name: "fleetwarden-" + function}, mns.Outgoing{Body: body})
	return err
}

// Texts of messages that cannot be used.
const (
	notAMessage  = "not a message"
	newerMessage = "in another form"
)

// garbage sends what is no message, or what a version to come would write.
func (p *player) garbage(_ context.Context, s Step) error {
	body := notAMessage
	if s.Kind == "newer" {
		body = `{"v": 99, "refs": "` + newerMessage + `"}`
	}
	return p.send(server.Home, s.Function, body)
}

// claim publishes a launch record, made of a true one, that names the instances of a group
// and claims for them what is not so.
func (p *player) claim(_ context.Context, s Step) error {
	all, past := p.m.group(s.Group), p.Published("ecs:ActionTrail:ApiCall")
	if len(all) == 0 {
		return nil
	}
	for _, e := range past {
		var record map[string]any
		if err := json.Unmarshal(e.Data, &record); err != nil || record["eventName"] != "RunInstances" || e.Region != all[0].region || e.Account != all[0].account {
			continue
		}
		var ids []string
		for _, i := range all[:min(len(all), 100)] {
			ids = append(ids, i.id)
		}
		record["eventId"], record["requestId"] = "51C10000-0000-5000-8000-0000000FFFFF", "51C10000-0000-5000-8000-0000000FFFFF"
		record["requestParameters"] = map[string]any{"RegionId": e.Region, "InstanceType": "ecs.g7.large", "SystemDisk.Category": "cloud_efficiency", "SecurityOptions.TrustedSystemMode": "vTPM"}
		delete(record, "requestParameterJson")
		record["responseElements"] = map[string]any{"InstanceIdSets": map[string]any{"InstanceIdSet": ids}}
		record["referencedResources"] = map[string]any{"ACS::ECS::Instance": ids}
		data, err := json.Marshal(record)
		if err != nil {
			return fmt.Errorf("writing a claim: %w", err)
		}
		e.ID, e.Data = "", data
		p.Publish(e)
		return nil
	}
	return nil
}

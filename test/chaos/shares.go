package main

import (
	"context"
	"fmt"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/stage"
)

// share makes something that is encrypted and shares it. It may be refused, for want of
// the role: it is asked for again at the end.
func (p *player) share(_ context.Context, s Step) error {
	x := &share{name: s.Group, kind: s.Kind, with: s.With, account: s.account(), region: s.Region, wanted: true, asked: p.now()}
	if same := p.m.share(s.Group); same != nil {
		if p.m.shared(s.Group, s.With) != nil {
			return nil
		}
		x.kind, x.id, x.account, x.region = same.kind, same.id, same.account, same.region
		if x.account == x.with {
			return nil
		}
	} else if s.Kind == "image" {
		made, err := p.Server.ECS.SeedImages(ecs.ImageSpec{Account: x.account, Region: x.region, Key: "alias/chaos"})
		if err != nil {
			return err
		}
		x.id = made[0].ID
	} else {
		ids, err := p.Server.ECS.SeedSnapshots(ecs.SnapshotSpec{Account: x.account, Region: x.region, Key: "alias/chaos"})
		if err != nil {
			return err
		}
		x.id = ids[0]
	}
	p.m.shares = append(p.m.shares, x)
	p.ask(x)
	return nil
}

// ask asks for a share.
func (p *player) ask(x *share) {
	switch {
	case x.kind == "image":
		_, _ = p.call(x.account, "2014-05-26", "ModifyImageSharePermission", x.region, map[string]string{"ImageId": x.id, "AddAccount.1": x.with})
	case x.resourceShare == "":
		answer, err := p.call(x.account, "2020-01-10", "CreateResourceShare", x.region, map[string]string{
			"ResourceShareName": "chaos-" + x.name + x.with, "AllowExternalTargets": "true", "Targets.1": x.with,
			"Resources.1.ResourceType": "Snapshot", "Resources.1.ResourceId": x.id})
		if err == nil {
			made, _ := answer["ResourceShare"].(map[string]any)
			x.resourceShare = fmt.Sprint(made["ResourceShareId"])
		}
	default:
		_, _ = p.call(x.account, "2020-01-10", "AssociateResourceShare", x.region, map[string]string{"ResourceShareId": x.resourceShare, "Targets.1": x.with})
	}
}

func (p *player) unshare(_ context.Context, s Step) error {
	x := p.m.share(s.Group)
	if x == nil || !x.wanted {
		return nil
	}
	x.ended = p.now()
	var err error
	if x.kind == "image" {
		_, err = p.call(x.account, "2014-05-26", "ModifyImageSharePermission", x.region, map[string]string{"ImageId": x.id, "RemoveAccount.1": x.with})
	} else {
		_, err = p.call(x.account, "2020-01-10", "DeleteResourceShare", x.region, map[string]string{"ResourceShareId": x.resourceShare})
	}
	x.wanted = err != nil
	return nil
}

// accept accepts all invitations of the sharees.
func (p *player) accept() {
	for _, keys := range []stage.Keys{stage.Operator, stage.Sharee, stage.Member} {
		for _, region := range p.regions {
			p.acceptIn(keys, region)
		}
	}
}

func (p *player) acceptIn(keys stage.Keys, region string) {
	answer, err := p.Call(context.Background(), keys, "2020-01-10", "ListResourceShareInvitations", map[string]string{"RegionId": region})
	if err != nil {
		return
	}
	list, _ := answer["ResourceShareInvitations"].([]any)
	for _, x := range list {
		item, _ := x.(map[string]any)
		_, _ = p.Call(context.Background(), keys, "2020-01-10", "AcceptResourceShareInvitation", map[string]string{
			"RegionId": region, "ResourceShareInvitationId": fmt.Sprint(item["ResourceShareInvitationId"])})
	}
}

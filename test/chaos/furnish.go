package main

import (
	"errors"
	"fmt"

	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stack"
)

// Documents of roles that stand there before.
const (
	trustECS   = `{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": ["ecs.aliyuncs.com"]}}]}`
	everything = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	// perhaps allows what the trusted system needs, and denies it to some addresses.
	perhaps     = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"yundun-systrust:*","Resource":"*"},{"Effect":"Deny","Action":"yundun-systrust:*","Resource":"*","Condition":{"NotIpAddress":{"acs:SourceIp":["203.0.113.2"]}}}]}`
	readAssets  = `{"Version": "1", "Statement": [{"Effect": "Allow", "Action": ["oss:GetObject"], "Resource": "acs:oss:*:*:assets/*"}]}`
	allSystrust = `{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "yundun-systrust:*", "Resource": "*"}]}`
	// strangerTrust is the trust that another team wrote into a share role.
	strangerTrust = `{"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":["` + stranger + `@ecs.aliyuncs.com"]}}],"Version":"1"}`
	stranger      = "1999999999999999"
)

// The role and the policy that the policy file's default names.
const (
	systrust  = "AliyunECSInstanceForYundunSysTrustRole"
	ourPolicy = "fleetwarden-systrust"
)

// shareRoles are the roles that shares need, by kind.
var shareRoles = map[string]string{
	"image": "AliyunECSShareEncryptImageDefaultRole", "snapshot": "AliyunECSShareEncryptSnapshotDefaultRole",
}

// furnish puts the roles of others, and a key for each region, into the world.
func (p *player) furnish() error {
	ram := p.Server.RAM
	err := errors.Join(
		ram.AddRole(server.Sharer, "app-role", trustECS, map[string]string{"app-assets": readAssets}),
		ram.AddRole(server.Sharer, "fit-role", trustECS, map[string]string{"fit-systrust": allSystrust}),
		ram.AddRole(server.Sharer, "unsure-role", trustECS, map[string]string{"unsure-systrust": perhaps}),
		ram.AddRole(server.Sharer, "system-role", trustECS, nil))
	if p.h.World.ForeignRole {
		err = errors.Join(err, ram.AddRole(server.Sharer, shareRoles["image"], strangerTrust, nil))
	}
	for _, region := range p.h.World.Regions {
		_, e := p.Server.KMS.AddKey(server.Sharer, region, "alias/chaos")
		err = errors.Join(err, e)
	}
	for _, state := range p.h.World.Versioning {
		err = errors.Join(err, p.Server.OSS.SetVersioning(stack.Bucket, state))
	}
	if err != nil {
		return fmt.Errorf("furnishing the world: %w", err)
	}
	if p.h.World.ForeignPolicy {
		if _, err := p.call("2015-05-01", "CreatePolicy", "", map[string]string{"PolicyName": ourPolicy, "PolicyDocument": everything}); err != nil {
			return err
		}
	}
	_, err = p.call("2015-05-01", "AttachPolicyToRole", "", map[string]string{"RoleName": "system-role", "PolicyName": "AliyunSysTrustFullAccess", "PolicyType": "System"})
	return err
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"fleetwarden/deploy/local/simcloud/resourcemanager"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stack"
	"fleetwarden/deploy/local/stage"
)

// Documents of roles that stand there before.
const (
	trustAccount = `{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"RAM": ["acs:ram::%[1]s:root"]}}]}`

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

// furnish puts the roles of others, and a key for each region, into each account.
func (p *player) furnish() error {
	for _, account := range p.h.World.accounts() {
		if err := p.furnishAccount(account); err != nil {
			return fmt.Errorf("furnishing account %s: %w", account, err)
		}
	}
	var err error
	for _, state := range p.h.World.Versioning {
		err = errors.Join(err, p.Server.OSS.SetVersioning(stack.Bucket, state))
	}
	if p.h.World.Directory {
		for _, account := range p.h.World.Members {
			err = errors.Join(err, p.Server.Directory.Move(account, resourcemanager.Development))
		}
	}
	return err
}

func (p *player) furnishAccount(account string) error {
	ram, w := p.Server.RAM, p.h.World
	err := errors.Join(
		ram.AddRole(account, called(account, "app-role"), trustECS, map[string]string{"app-assets": readAssets}),
		ram.AddRole(account, called(account, "fit-role"), trustECS, map[string]string{"fit-systrust": allSystrust}),
		ram.AddRole(account, "unsure-role", trustECS, map[string]string{"unsure-systrust": perhaps}),
		ram.AddRole(account, "system-role", trustECS, nil))
	ours := fmt.Sprintf(trustAccount, account)
	err = errors.Join(err, ram.AddRole(account, "deployer", ours, map[string]string{"deployer": everything}))
	if w.Wide && account != server.Sharer {
		err = errors.Join(err, p.widen(account))
	}
	if w.foreignRole(account, "image") {
		err = errors.Join(err, ram.AddRole(account, shareRoles["image"], strangerTrust, nil))
	}
	for _, region := range w.Regions {
		_, e := p.Server.KMS.AddKey(account, region, "alias/chaos")
		err = errors.Join(err, e)
	}
	if w.foreignPolicy(account) {
		_, e := p.call(account, "2015-05-01", "CreatePolicy", "", map[string]string{"PolicyName": ourPolicy, "PolicyDocument": everything})
		err = errors.Join(err, e)
	}
	_, e := p.call(account, "2015-05-01", "AttachPolicyToRole", "", map[string]string{"RoleName": "system-role", "PolicyName": "AliyunSysTrustFullAccess", "PolicyType": "System"})
	return errors.Join(err, e)
}

// widen lets an account's people assume the role of members, which may do everything then.
func (p *player) widen(account string) error {
	answer, err := p.call(account, "2015-05-01", "GetRole", "", map[string]string{"RoleName": stack.Member})
	if err != nil {
		return err
	}
	role, _ := answer["Role"].(map[string]any)
	var trust struct {
		Version   string
		Statement []any
	}
	if err := json.Unmarshal([]byte(fmt.Sprint(role["AssumeRolePolicyDocument"])), &trust); err != nil {
		return err
	}
	var more struct{ Statement []any }
	if err := json.Unmarshal(fmt.Appendf(nil, trustAccount, account), &more); err != nil {
		return err
	}
	trust.Statement = append(trust.Statement, more.Statement...)
	_, err = p.call(account, "2015-05-01", "UpdateRole", "", map[string]string{"RoleName": stack.Member, "NewAssumeRolePolicyDocument": inJSON(trust)})
	_, e := p.call(account, "2015-05-01", "AttachPolicyToRole", "", map[string]string{"RoleName": stack.Member, "PolicyName": "AdministratorAccess", "PolicyType": "System"})
	return errors.Join(err, e)
}

// keysBy are those of a session role:session that an account's administrator opens, or its own.
func (p *player) keysBy(account, by string) (stage.Keys, error) {
	role, session, ok := strings.Cut(by, ":")
	if !ok {
		return keysOf(account), nil
	}
	answer, err := p.call(account, "2015-04-01", "AssumeRole", "", map[string]string{"RoleArn": "acs:ram::" + account + ":role/" + role, "RoleSessionName": session})
	if err != nil {
		return stage.Keys{}, err
	}
	c, _ := answer["Credentials"].(map[string]any)
	return stage.Keys{ID: fmt.Sprint(c["AccessKeyId"]), Secret: fmt.Sprint(c["AccessKeySecret"]), Token: fmt.Sprint(c["SecurityToken"])}, nil
}

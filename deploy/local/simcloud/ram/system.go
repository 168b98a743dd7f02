package ram

import (
	"fmt"
	"time"
)

// systemPolicies are the vendor's policies that are known here, by name, with
// the actions that they allow on all resources. The documents of
// AdministratorAccess and the Aliyun<Product>FullAccess policies follow the
// vendor's pattern "<code>:*". That of AliyunSysTrustFullAccess is not
// published; yundun-systrust:* is assumed, as are the documents of the two policies that
// the ECS console attaches to AliyunECSInstanceForYundunSysTrustRole and to
// AliyunECSDiskEncryptDefaultRole: their names are published, and what they are for.
var systemPolicies = map[string]string{
	"AdministratorAccess":                          `"*"`,
	"AliyunSysTrustFullAccess":                     `"yundun-systrust:*"`,
	"AliyunKMSFullAccess":                          `"kms:*"`,
	"AliyunECSInstanceForYundunSysTrustRolePolicy": `["yundun-systrust:GenerateNonce","yundun-systrust:GenerateAikcert","yundun-systrust:RegisterMessage","yundun-systrust:PutMessage"]`,
	"AliyunECSDiskEncryptRolePolicy":               `["kms:List*","kms:DescribeKey","kms:Encrypt","kms:Decrypt","kms:GenerateDataKey","kms:TagResource","kms:UntagResource"]`,
	"AliyunECSFullAccess":                          `"ecs:*"`,
	"AliyunECSReadOnlyAccess":                      `["ecs:Describe*","ecs:List*"]`,
	"AliyunRAMFullAccess":                          `["ram:*","sts:*"]`,
	"AliyunRAMReadOnlyAccess":                      `["ram:Get*","ram:List*"]`,
	"AliyunSTSAssumeRoleAccess":                    `"sts:AssumeRole"`,
	"AliyunYundunSASFullAccess":                    `"yundun-sas:*"`,
	"AliyunMNSFullAccess":                          `"mns:*"`,
	"AliyunEventBridgeFullAccess":                  `"eventbridge:*"`,
	"AliyunActionTrailFullAccess":                  `"actiontrail:*"`,
}

func (a *account) addSystemPolicies(at time.Time) error {
	for name, actions := range systemPolicies {
		text := fmt.Sprintf(`{"Version":"1","Statement":[{"Effect":"Allow","Action":%s,"Resource":"*"}]}`, actions)
		d, err := parsePolicy(text)
		if err != nil {
			return fmt.Errorf("reading system policy %s: %w", name, err)
		}
		p := &policy{name: name, kind: "System", created: at, updated: at, next: 2}
		p.versions = []*version{{id: "v1", text: text, parsed: d, isDefault: true, created: at}}
		a.policies[policyKey("System", name)] = p
	}
	return nil
}

func policyKey(kind, name string) string { return kind + "/" + name }

func (p *policy) current() *version {
	for _, v := range p.versions {
		if v.isDefault {
			return v
		}
	}
	return p.versions[0]
}

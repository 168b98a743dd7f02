package command

import (
	"errors"
	"strings"
	"testing"

	"fleetwarden/deploy/local/simcloud"
	simecs "fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
)

// An instance is looked for where the policy is, and each control is explained by its facts.
func TestThePolicyIsExplainedForAnInstance(t *testing.T) {
	p := aPlace(t, simecs.FleetSpec{Count: 1}, simecs.FleetSpec{Count: 1, Region: server.Another})
	for line, want := range map[string]string{
		"policy explain " + p.ids[0]:                                 `"region":"cn-hangzhou","id":"` + p.ids[0] + `","control":"instance-role","mode":"enforce","result":"enforced","judged":"yes","enforced":"yes","enforceKey":"controls.instanceRole.mode"`,
		"policy explain " + p.ids[1]:                                 `"region":"cn-shanghai","id":"` + p.ids[1] + `","control":"agent","mode":"audit","result":"audited"`,
		"policy explain --region cn-shanghai " + p.ids[1]:            `"control":"share-role"`,
		"policy explain " + string(server.Sharer):                    `{"type":"explained","account":"1000000000000001","control":"share-role","mode":"audit"`,
		"policy explain --account " + server.Sharer + " " + p.ids[0]: `"control":"trusted-instance"`,
	} {
		if out, _, err := p.typed(line); err != nil || !strings.Contains(out, want) {
			t.Errorf("%s: %v\n%s", line, err, out)
		}
	}
	for line, want := range map[string]string{
		"policy explain i-nowhere":                             "there is no instance i-nowhere of account 1000000000000001 in [cn-hangzhou cn-shanghai]",
		"policy explain --region cn-shanghai " + p.ids[0]:      "there is no instance",
		"policy explain --region nowhere " + p.ids[0]:          "is not the id of a region",
		"policy explain --region cn-hangzhou policy.yaml":      "are for an instance",
		"policy explain --region cn-hangzhou " + server.Sharer: "is an account",
	} {
		if _, _, err := p.typed(line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// Facts that could not be read are unknown in the explanation, and the command has failed.
func TestAnInstanceThatCannotBeReadIsExplainedAsFarAsItIsKnown(t *testing.T) {
	p := aPlace(t, simecs.FleetSpec{Count: 1})
	if err := p.cloud.Faults.Set(1, []simcloud.Fault{{Action: "DescribeInstances", Kind: simcloud.Deny}}, simcloud.EventFaults{}); err != nil {
		t.Fatal(err)
	}
	out, _, err := p.typed("policy explain --region cn-hangzhou " + p.ids[0])
	if err == nil || errors.As(err, new(BadUsage)) || !strings.Contains(err.Error(), "could not be read") || !strings.Contains(out, `"control":"agent"`) {
		t.Errorf("%v\n%s", err, out)
	}
	if _, _, err := p.typed("policy explain " + p.ids[0]); err == nil || !strings.Contains(err.Error(), "looking for") {
		t.Error(err)
	}
}

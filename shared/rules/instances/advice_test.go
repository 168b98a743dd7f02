package instances

import (
	"strings"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// followed are launches that asked for what the advice for an error code says. A code
// whose cause is no parameter of the request, but the state of a key or a role, has none.
var followed = map[string]*fleet.Launch{
	"InvalidVSwitchId.Necessary":                  {InstanceType: "ecs.g7t.large", VSwitchID: "vsw-1"},
	"InvalidSystemDiskCategory.ValueNotSupported": {InstanceType: "ecs.g7t.large", SystemDiskCategory: "cloud_essd"},
	"InvalidDiskCategory.NotSupported":            {InstanceType: "ecs.g7t.large", SystemDiskCategory: "cloud_essd"},
	"ImageNotSupportInstanceType":                 {InstanceType: "ecs.g6t.large", ImageID: "aliyun_2_1903_x64_20G_secured_alibase_20210120.vhd"},
	"InvalidParameter.EncryptedIllegal": {InstanceType: "ecs.g7t.large", DeniedDisks: []fleet.LaunchDisk{
		{Name: "SystemDisk", Key: true, Encrypted: true}, {Name: "DataDisk.1", Category: "cloud_essd"}}},
	"InvalidParameter.EncryptedNotSupported": {InstanceType: "ecs.g7t.large", DeniedDisks: []fleet.LaunchDisk{
		{Name: "SystemDisk", Key: true, Encrypted: true, Category: "cloud_essd"}, {Name: "DataDisk.1", Category: "cloud_efficiency"}}},
	"InvalidUserData.SizeExceeded":            {InstanceType: "ecs.g7t.large"},
	"InvalidParameter.KMSKeyId.CMKNotEnabled": nil, "InvalidParameter.KMSKeyId.CMKUnauthorized": nil, "InvalidParameter.KMSKeyId.KMSUnauthorized": nil,
	"InvalidParameter.KMSKeyId.NotFound": nil, "InvalidRamRole.NotEcsRole": nil, "InvalidRamRole.NotFound": nil, "InvalidUser.PassRoleForbidden": nil,
	"InvalidParameter.Conflict": nil,
}

// explain is what denied-launch says of a failed launch.
func explain(code string, l *fleet.Launch, change ...func(*policy.Policy)) fleet.Verdict {
	return explainCall(&fleet.Call{Name: "RunInstances", ErrorCode: code, Launch: l}, change...)
}

func explainCall(call *fleet.Call, change ...func(*policy.Policy)) fleet.Verdict {
	here := fleet.Scope{Account: "1000000000000001", Region: "cn-hangzhou"}
	p := policy.Default().WithHome(here.Account)
	for _, c := range change {
		c(p)
	}
	w := &fleet.World{Scope: here, At: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC),
		Calls: []fleet.Ref{{Scope: here, Kind: fleet.KindCall, ID: "E1", Call: call}}}
	return TrustedInstance(w, p)[0]
}

func TestNoAdviceIsWhatWasAskedForAlready(t *testing.T) {
	for _, d := range denials {
		launch, ok := followed[d.code]
		if !ok {
			t.Errorf("%s is not tried here", d.code)
		}
		if launch == nil {
			continue
		}
		if v := explain(d.code, launch); v.Outcome != fleet.NotApplicable || v.Remedy != "" {
			t.Errorf("%s: asked for as advised, and %s: %s", d.code, v.Outcome, v.Remedy)
		}
		if v := explain(d.code, &fleet.Launch{InstanceType: "ecs.g7t.large", HasUserData: true, DeniedDisks: []fleet.LaunchDisk{{Name: "DataDisk.2", Key: true}}}); v.Outcome != fleet.Violation || v.Remedy == "" {
			t.Errorf("%s: not asked for, and %s: %s", d.code, v.Outcome, v.Reason)
		}
		// A template may have filled in what is missing, and a record may lack it all.
		for name, l := range map[string]*fleet.Launch{"a template": {LaunchTemplateID: "lt-1"}, "no parameters": nil} {
			if v := explain(d.code, l); v.Outcome != fleet.Violation || v.Remedy == "" {
				t.Errorf("%s, %s: %s: %s", d.code, name, v.Outcome, v.Reason)
			}
		}
	}
	if len(followed) != len(denials) {
		t.Errorf("%d codes are tried, of %d", len(followed), len(denials))
	}
}

func TestADiskIsAdvisedAsThePolicyAcceptsIt(t *testing.T) {
	const code = "InvalidSystemDiskCategory.ValueNotSupported"
	auto := func(p *policy.Policy) { p.TrustedInstance.SystemDisk = []string{"cloud_auto", "cloud_essd"} }
	if v := explain(code, &fleet.Launch{InstanceType: "ecs.g7t.large", SystemDiskCategory: "cloud_auto"}, auto); v.Outcome != fleet.NotApplicable {
		t.Errorf("got %+v", v)
	}
	if v := explain(code, &fleet.Launch{InstanceType: "ecs.g7t.large"}, auto); !strings.Contains(v.Remedy, "cloud_auto or cloud_essd") {
		t.Errorf("got %+v", v)
	}
}

// The id of most images does not show how they boot: what was asked for may be as advised.
func TestAnImageThatMayFitIsToBeChecked(t *testing.T) {
	for image, want := range map[string]string{
		"aliyun_3_x64_20G_alibase_20230727.vhd": "BootMode of aliyun_3_x64_20G_alibase_20230727.vhd", // UEFI-Preferred
		"m-1":                                   "BootMode of m-1",
		"":                                      "choose an image",
	} {
		if v := explain("ImageNotSupportInstanceType", &fleet.Launch{InstanceType: "ecs.g7t.large", ImageID: image}); !strings.Contains(v.Remedy, want) {
			t.Errorf("%s: %q", image, v.Remedy)
		}
	}
	if v := explain("ImageNotSupportInstanceType", &fleet.Launch{InstanceType: "ecs.g6t.large", ImageID: "m-1"}); !strings.Contains(v.Remedy, "made from one") {
		t.Errorf("%q", v.Remedy)
	}
}

func TestAdviceNamesTheDisks(t *testing.T) {
	disks := []fleet.LaunchDisk{{Name: "SystemDisk", Key: true, Encrypted: true, Category: "cloud_essd"}, {Name: "DataDisk.3", Key: true, Category: "cloud_ssd"}}
	for code, want := range map[string]string{
		"InvalidParameter.EncryptedIllegal":       "set DataDisk.3.Encrypted=true",
		"InvalidParameter.EncryptedNotSupported":  "DataDisk.3.Category=cloud_essd",
		"InvalidParameter.KMSKeyId.NotFound":      "SystemDisk.KMSKeyId, DataDisk.3.KMSKeyId",
		"InvalidParameter.KMSKeyId.CMKNotEnabled": "SystemDisk.KMSKeyId, DataDisk.3.KMSKeyId",
	} {
		if v := explain(code, &fleet.Launch{InstanceType: "ecs.g7t.large", DeniedDisks: disks}); !strings.Contains(v.Remedy, want) {
			t.Errorf("%s: %q does not say %q", code, v.Remedy, want)
		}
	}
}

// Denials are explained to whom the rule is for that they stand for.
func TestADenialStandsForARule(t *testing.T) {
	const code = "InvalidVSwitchId.Necessary"
	plain := &fleet.Launch{InstanceType: "ecs.g7.large"}
	for name, c := range map[string]struct {
		launch *fleet.Launch
		change func(*policy.Policy)
		want   fleet.Outcome
	}{
		"a trusted family":       {&fleet.Launch{InstanceType: "ecs.g7t.large"}, func(*policy.Policy) {}, fleet.Violation},
		"vTPM was asked for":     {&fleet.Launch{InstanceType: "ecs.g7.large", TrustedSystemMode: "vTPM"}, func(*policy.Policy) {}, fleet.Violation},
		"no trusted instance":    {plain, func(*policy.Policy) {}, fleet.NotApplicable},
		"all have to be trusted": {plain, func(p *policy.Policy) { p.TrustedInstance.Require = policy.RequireAll }, fleet.Violation},
		"the rule is skipped":    {&fleet.Launch{InstanceType: "ecs.g7t.large"}, func(p *policy.Policy) { p.TrustedInstance.Skip = []string{policy.RuleVPC} }, fleet.NotApplicable},
		"perhaps outside the scope": {&fleet.Launch{InstanceType: "ecs.g7t.large"}, func(p *policy.Policy) {
			p.TrustedInstance.Exclude = []policy.Selector{{Tags: map[string]string{"env": "lab"}}}
		}, fleet.Undecided},
	} {
		if v := explain(code, c.launch, c.change); v.Outcome != c.want {
			t.Errorf("%s: got %+v", name, v)
		}
	}
}

// A record does not say whether RAM missed a right or matched a Deny: only a launch that
// asked for what a guard denies is explained, and no further than that goes.
func TestARefusalIsOursOnlyIfAGuardDeniesWhatWasAsked(t *testing.T) {
	for code, want := range map[string]map[string]fleet.Outcome{
		"Forbidden.RAM": {"Deactive": fleet.Violation, "Active": fleet.NotApplicable, "": fleet.NotApplicable},
		"NoPermission":  {"Deactive": fleet.Violation, "Active": fleet.NotApplicable},
		"Forbidden":     {"Deactive": fleet.NotApplicable},
	} {
		for strategy, outcome := range want {
			v := explain(code, &fleet.Launch{InstanceType: "ecs.g7.large", SecurityEnhancementStrategy: strategy})
			if v.Outcome != outcome {
				t.Errorf("%s, %q: got %+v", code, strategy, v)
			}
			if outcome != fleet.Violation {
				continue
			}
			for _, part := range []string{"guard", "lacks a right", "SecurityEnhancementStrategy"} {
				if !strings.Contains(v.Reason, part) {
					t.Errorf("%q does not say %q", v.Reason, part)
				}
			}
		}
	}
	unasked := func(p *policy.Policy) { p.TrustedInstance.Skip = []string{policy.RuleHardeningAsked} }
	if v := explain("Forbidden.RAM", &fleet.Launch{SecurityEnhancementStrategy: "Deactive"}, unasked); v.Outcome != fleet.NotApplicable {
		t.Errorf("got %+v", v)
	}
	if v := explain("Forbidden.RAM", nil); v.Outcome != fleet.NotApplicable {
		t.Errorf("got %+v", v)
	}
}

package rules_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rules/instances"
)

// judged returns the verdict of one rule of trusted-instance on one instance.
func judged(t *testing.T, i fleet.Instance, p *policy.Policy, id string) fleet.Verdict {
	t.Helper()
	return one(t, instances.TrustedInstance(world(i), p), id)
}

func TestTheSystemDiskIsOneThatThePolicyAccepts(t *testing.T) {
	unread := fleet.Unknown[string]("denied")
	template := fleet.Launch{LaunchTemplateID: "lt-1"}
	for name, tc := range map[string]struct {
		disk   fleet.Fact[string]
		launch *fleet.Launch
		accept []string
		want   fleet.Outcome
	}{
		"an ESSD":                              {disk: fleet.See("cloud_essd"), want: fleet.Passes},
		"an SSD":                               {disk: fleet.See("cloud_ssd"), want: fleet.Violation},
		"an SSD that the policy accepts":       {disk: fleet.See("cloud_ssd"), accept: []string{"cloud_essd", "cloud_ssd"}, want: fleet.Passes},
		"not read, nothing claimed":            {disk: unread, want: fleet.Undecided},
		"not read, an ESSD claimed":            {disk: unread, launch: &fleet.Launch{SystemDiskCategory: "cloud_essd"}, want: fleet.Passes},
		"not read, an SSD claimed":             {disk: unread, launch: &fleet.Launch{SystemDiskCategory: "cloud_ssd"}, want: fleet.Violation},
		"not read, left out by the launch":     {disk: unread, launch: &fleet.Launch{}, want: fleet.Violation},
		"not read, perhaps from the template":  {disk: unread, launch: &template, want: fleet.Undecided},
		"what was read wins over the claim":    {disk: fleet.See("cloud_ssd"), launch: &fleet.Launch{SystemDiskCategory: "cloud_essd"}, want: fleet.Violation},
		"what was read wins over the omission": {disk: fleet.See("cloud_essd"), launch: &fleet.Launch{}, want: fleet.Passes},
	} {
		t.Run(name, func(t *testing.T) {
			i, p := trusted(), enforcing()
			i.SystemDisk = tc.disk
			if tc.launch != nil {
				i = launched(i, *tc.launch)
			}
			if tc.accept != nil {
				p.TrustedInstance.SystemDisk = tc.accept
			}
			if v := judged(t, i, p, policy.RuleSystemDisk); v.Outcome != tc.want {
				t.Errorf("got %s, want %s: %s", v.Outcome, tc.want, v.Reason)
			}
		})
	}
}

func TestAnInstanceIsInAVPC(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*fleet.Listing)
		want   fleet.Outcome
	}{
		"in a VPC":            {func(*fleet.Listing) {}, fleet.Passes},
		"without a VPC":       {func(l *fleet.Listing) { l.VPC = "" }, fleet.Violation},
		"the classic network": {func(l *fleet.Listing) { l.Classic = true }, fleet.Violation},
	} {
		t.Run(name, func(t *testing.T) {
			if v := judged(t, listed(trusted(), tc.change), enforcing(), policy.RuleVPC); v.Outcome != tc.want {
				t.Errorf("got %s, want %s: %s", v.Outcome, tc.want, v.Reason)
			}
		})
	}
}

func TestTrustedModeWasAskedForOrTheTagIsThere(t *testing.T) {
	untag := func(l *fleet.Listing) { l.Tags = nil }
	fresh := func(l *fleet.Listing) { l.Tags, l.Created = nil, noon.Add(-time.Minute) }
	sixth := func(l *fleet.Listing) { l.Tags, l.Family, l.Type = nil, "ecs.g6t", "ecs.g6t.large" }
	for name, tc := range map[string]struct {
		change func(*fleet.Listing)
		launch *fleet.Launch
		want   fleet.Outcome
	}{
		"the system tag":                         {func(*fleet.Listing) {}, nil, fleet.Passes},
		"no tag, no launch":                      {untag, nil, fleet.Violation},
		"asked for vTPM just now":                {fresh, &fleet.Launch{TrustedSystemMode: "vTPM"}, fleet.Passes},
		"asked for an enclave just now":          {fresh, &fleet.Launch{ConfidentialComputingMode: "Enclave"}, fleet.Passes},
		"asked for vTPM, and never got the tag":  {untag, &fleet.Launch{TrustedSystemMode: "vTPM"}, fleet.Undecided},
		"asked for another mode":                 {untag, &fleet.Launch{TrustedSystemMode: "none", ConfidentialComputingMode: "TDX"}, fleet.Violation},
		"did not ask":                            {untag, &fleet.Launch{}, fleet.Violation},
		"from a template, just now":              {fresh, &fleet.Launch{LaunchTemplateName: "lt"}, fleet.Pending},
		"from a template, long ago":              {untag, &fleet.Launch{LaunchTemplateName: "lt"}, fleet.Violation},
		"not from a template, just now":          {fresh, &fleet.Launch{}, fleet.Violation},
		"the sixth generation needs no mode":     {sixth, nil, fleet.Passes},
		"the sixth generation, did not ask":      {sixth, &fleet.Launch{}, fleet.Passes},
		"the tenth generation needs it as well":  {func(l *fleet.Listing) { l.Tags, l.Family = nil, "ecs.g10t" }, nil, fleet.Violation},
		"the eighth generation needs it as well": {func(l *fleet.Listing) { l.Tags, l.Family = nil, "ecs.g8t" }, nil, fleet.Violation},
	} {
		t.Run(name, func(t *testing.T) {
			i := listed(trusted(), tc.change)
			if tc.launch != nil {
				i = launched(i, *tc.launch)
			}
			if v := judged(t, i, enforcing(), policy.RuleTrustedMode); v.Outcome != tc.want {
				t.Errorf("got %s, want %s: %s", v.Outcome, tc.want, v.Reason)
			}
		})
	}
}

func TestOnlyAFindingAboutCreateInstanceSaysThatItCannotAskForTrust(t *testing.T) {
	for name, want := range map[string]bool{"CreateInstance": true, "RunInstances": false} {
		i := launched(listed(trusted(), func(l *fleet.Listing) { l.Tags = nil }), fleet.Launch{})
		i.Ref.Call.Name = name
		v := judged(t, i, enforcing(), policy.RuleTrustedMode)
		if got := strings.Contains(v.Remedy, "CreateInstance"); got != want {
			t.Errorf("%s: %q", name, v.Remedy)
		}
	}
}

func TestAnOrdinaryInstanceIsLeftAlone(t *testing.T) {
	i := listed(trusted(), func(l *fleet.Listing) { l.Tags, l.Family, l.Type, l.VPC = nil, "ecs.g7", "ecs.g7.large", "" })
	i.SystemDisk = fleet.See("cloud_ssd")
	for _, v := range instances.TrustedInstance(world(i), enforcing()) {
		if v.Outcome != fleet.NotApplicable && v.Rule != policy.RuleHardeningAsked {
			t.Errorf("got %+v", v)
		}
	}
}

func denied(code string) fleet.Ref {
	return fleet.Ref{Scope: here, Kind: fleet.KindCall, ID: "E1",
		Call: &fleet.Call{Name: "RunInstances", ErrorCode: code, Caller: "ram-user/alice", Launch: &fleet.Launch{InstanceType: "ecs.g7t.large", HasUserData: true}}}
}

func TestDeniedLaunch(t *testing.T) {
	for code, remedy := range map[string]string{
		"InvalidVSwitchId.Necessary":                  "VSwitchId",
		"InvalidSystemDiskCategory.ValueNotSupported": "SystemDisk.Category=cloud_essd",
		"invalidsystemdiskcategory.valuenotsupported": "SystemDisk.Category=cloud_essd",
		"ImageNotSupportInstanceType":                 "image",
		"InvalidParameter.KMSKeyId.KMSUnauthorized":   "AliyunECSDiskEncryptDefaultRole",
		"InvalidParameter.KMSKeyId.CMKNotEnabled":     "enable the key",
		"InvalidRamRole.NotEcsRole":                   "ecs.aliyuncs.com",
		"InvalidUser.PassRoleForbidden":               "ram:PassRole",
		"InvalidUserData.SizeExceeded":                "UserData",
	} {
		t.Run(code, func(t *testing.T) {
			w := world()
			w.Calls = []fleet.Ref{denied(code)}
			v := one(t, instances.TrustedInstance(w, enforcing()), policy.RuleDeniedLaunch)
			if v.Outcome != fleet.Violation || !strings.Contains(v.Remedy, remedy) || !strings.Contains(v.Reason, code) {
				t.Errorf("got %+v", v)
			}
			if !slices.ContainsFunc(v.Evidence, func(e fleet.Evidence) bool { return e.Value == "ram-user/alice" && e.Source == "claimed" }) {
				t.Errorf("it does not name the caller: %+v", v.Evidence)
			}
		})
	}
}

func TestAFailureThatIsNoneOfOursIsNotAViolation(t *testing.T) {
	for _, code := range []string{"OperationDenied.NoStock", "QuotaExceed.ElasticQuota", "Throttling", "InvalidVSwitchId.NecessaryX", ""} {
		w := world()
		w.Calls = []fleet.Ref{denied(code)}
		if v := one(t, instances.TrustedInstance(w, enforcing()), policy.RuleDeniedLaunch); v.Outcome != fleet.NotApplicable {
			t.Errorf("%s: %+v", code, v)
		}
	}
}

func TestACallThatSaysNothingIsNotAViolation(t *testing.T) {
	w := world()
	w.Calls = []fleet.Ref{{Scope: here, Kind: fleet.KindCall, ID: "E1"}}
	if v := one(t, instances.TrustedInstance(w, enforcing()), policy.RuleDeniedLaunch); v.Outcome != fleet.NotApplicable {
		t.Errorf("got %+v", v)
	}
}

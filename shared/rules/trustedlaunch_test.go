package rules_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rules/instances"
)

func TestTheFamilyIsOneOfThePolicys(t *testing.T) {
	for family, want := range map[string]fleet.Outcome{"ecs.g7t": fleet.Passes, "ecs.r7": fleet.Passes, "ecs.g5": fleet.Violation, "ecs.g6": fleet.Violation} {
		p := enforcing()
		p.TrustedInstance.Require = policy.RequireAll
		i := listed(trusted(), func(l *fleet.Listing) { l.Family = family })
		if v := judged(t, i, p, policy.RuleFamily); v.Outcome != want {
			t.Errorf("%s: got %s, want %s", family, v.Outcome, want)
		}
	}
}

func TestFamilyIsAskedOnlyWhereAllHaveToBeTrusted(t *testing.T) {
	for _, v := range instances.TrustedInstance(world(trusted()), enforcing()) {
		if v.Rule == policy.RuleFamily {
			t.Errorf("got %+v", v)
		}
	}
}

func TestTheImageFitsTheGenerationOfTheFamily(t *testing.T) {
	const secured = "aliyun_2_1903_x64_20G_secured_alibase_20210120.vhd"
	for name, tc := range map[string]struct {
		family string
		image  fleet.Fact[fleet.Image]
		want   fleet.Outcome
	}{
		"7: UEFI":                    {"ecs.g7t", fleet.See(fleet.Image{ID: "m", BootMode: "UEFI"}), fleet.Passes},
		"7: UEFI-Preferred":          {"ecs.g7t", fleet.See(fleet.Image{ID: "m", BootMode: "UEFI-Preferred"}), fleet.Passes},
		"7: BIOS":                    {"ecs.g7t", fleet.See(fleet.Image{ID: "m", BootMode: "BIOS"}), fleet.Violation},
		"7: secured, but BIOS":       {"ecs.g7t", fleet.See(fleet.Image{ID: secured, Owner: "system", BootMode: "BIOS"}), fleet.Violation},
		"7: the cloud does not say":  {"ecs.g7t", fleet.See(fleet.Image{ID: "m"}), fleet.Undecided},
		"6: secured":                 {"ecs.g6t", fleet.See(fleet.Image{ID: secured, Owner: "system"}), fleet.Passes},
		"6: public, not secured":     {"ecs.g6t", fleet.See(fleet.Image{ID: "centos_7.vhd", Owner: "system", BootMode: "UEFI"}), fleet.Violation},
		"6: one's own, of that name": {"ecs.g6t", fleet.See(fleet.Image{ID: secured, Owner: "self"}), fleet.NotAssessable},
		"not read":                   {"ecs.g7t", fleet.Unknown[fleet.Image]("denied"), fleet.Undecided},
		"no longer there":            {"ecs.g7t", fleet.See(fleet.Image{ID: "m", BootMode: "UEFI", Gone: true}), fleet.NotAssessable},
		"only claimed":               {"ecs.g7t", fleet.Claim(fleet.Image{ID: "m", BootMode: "UEFI"}), fleet.Undecided},
	} {
		t.Run(name, func(t *testing.T) {
			i := listed(trusted(), func(l *fleet.Listing) { l.Family = tc.family })
			i.Image = tc.image
			if v := judged(t, i, enforcing(), policy.RuleImage); v.Outcome != tc.want {
				t.Errorf("got %s, want %s: %s", v.Outcome, tc.want, v.Reason)
			}
		})
	}
}

func TestTheAccountHasSwitchedKMSOn(t *testing.T) {
	for fact, want := range map[fleet.Fact[string]]fleet.Outcome{fleet.See("Enabled"): fleet.Passes, fleet.See("NotEnabled"): fleet.Violation,
		fleet.See(fleet.NoKMS): fleet.NotApplicable, fleet.See(""): fleet.Violation, fleet.Unknown[string]("denied"): fleet.Undecided, fleet.Claim("Enabled"): fleet.Undecided} {
		w := world(trusted(), trusted())
		w.KMS = fact
		v := one(t, instances.TrustedInstance(w, enforcing()), policy.RuleKMSEnabled)
		if v.Outcome != want || v.Ref.Kind != fleet.KindAccount || v.Ref.Scope != here {
			t.Errorf("%+v: got %+v, want %s", fact, v, want)
		}
	}
}

func TestKMSIsOfNoConcernWithoutATrustedInstance(t *testing.T) {
	w := world(listed(trusted(), func(l *fleet.Listing) { l.Family, l.Tags = "ecs.g7", nil }))
	w.KMS = fleet.See("NotEnabled")
	for _, v := range instances.TrustedInstance(w, enforcing()) {
		if v.Rule == policy.RuleKMSEnabled {
			t.Errorf("got %+v", v)
		}
	}
}

func TestKMSMayBeExempt(t *testing.T) {
	w, p := world(trusted()), enforcing()
	w.KMS = fleet.See("NotEnabled")
	p.Exemptions = []policy.Exemption{{Control: policy.ControlTrustedInstance, Rule: policy.RuleKMSEnabled,
		Selector: policy.Selector{Accounts: []fleet.AccountID{here.Account}}, Owner: "o", Reason: "r", Expires: noon.Add(time.Hour)}}
	if v := one(t, instances.TrustedInstance(w, p), policy.RuleKMSEnabled); v.Outcome != fleet.Exempted {
		t.Errorf("got %+v", v)
	}
}

// ordinary is an instance that is not meant to be trusted.
func ordinary() fleet.Instance {
	return listed(trusted(), func(l *fleet.Listing) { l.Tags, l.Family, l.Type = nil, "ecs.g7", "ecs.g7.large" })
}

// hardening is the verdict of hardening-asked, which is there beside the one that an
// ordinary instance gets.
func hardening(t *testing.T, i fleet.Instance, p *policy.Policy) fleet.Verdict {
	t.Helper()
	for _, v := range instances.TrustedInstance(world(i), p) {
		if v.Rule == policy.RuleHardeningAsked {
			sound(t, v)
			return v
		}
	}
	t.Fatal("it is not asked")
	return fleet.Verdict{}
}

func TestWithoutItsLaunchHardeningCannotBeAssessed(t *testing.T) {
	for _, i := range []fleet.Instance{trusted(), ordinary()} {
		v := hardening(t, i, enforcing())
		if v.Outcome != fleet.NotAssessable || !v.Remark || strings.Contains(v.Reason, i.Ref.ID) || strings.Contains(v.Reason, string(here.Region)) {
			t.Errorf("got %+v", v)
		}
	}
}

func TestHardeningAsked(t *testing.T) {
	system, own := fleet.See(fleet.Image{ID: "m", Owner: "system"}), fleet.See(fleet.Image{ID: "m", Owner: "self"})
	for name, tc := range map[string]struct {
		launch fleet.Launch
		image  fleet.Fact[fleet.Image]
		want   fleet.Outcome
	}{
		"asked":                       {fleet.Launch{SecurityEnhancementStrategy: "Active"}, system, fleet.Passes},
		"left out":                    {fleet.Launch{}, system, fleet.Violation},
		"refused":                     {fleet.Launch{SecurityEnhancementStrategy: "Deactive"}, system, fleet.Violation},
		"left out, from a template":   {fleet.Launch{LaunchTemplateID: "lt-1"}, system, fleet.Undecided},
		"left out, of one's own":      {fleet.Launch{}, own, fleet.NotApplicable},
		"left out, of who knows what": {fleet.Launch{}, fleet.Unknown[fleet.Image]("denied"), fleet.Undecided},
		"refused, not read":           {fleet.Launch{SecurityEnhancementStrategy: "Deactive"}, fleet.Unknown[fleet.Image]("denied"), fleet.Undecided},
		"refused, of no image":        {fleet.Launch{SecurityEnhancementStrategy: "Deactive"}, fleet.See(fleet.Image{Gone: true}), fleet.Undecided},
	} {
		t.Run(name, func(t *testing.T) {
			for name, i := range map[string]fleet.Instance{"trusted": trusted(), "ordinary": ordinary()} {
				i = launched(i, tc.launch)
				i.Image = tc.image
				if v := hardening(t, i, enforcing()); v.Outcome != tc.want {
					t.Errorf("%s: got %s, want %s: %s", name, v.Outcome, tc.want, v.Reason)
				}
			}
		})
	}
}

func TestMetadataIsByTokenOnlyWhereThePolicyAsksForIt(t *testing.T) {
	for tokens, want := range map[string]fleet.Outcome{"required": fleet.Passes, "optional": fleet.Violation, "": fleet.Undecided} {
		p := enforcing()
		p.TrustedInstance.IMDS = true
		i := listed(trusted(), func(l *fleet.Listing) { l.HTTPTokens = tokens })
		if v := judged(t, i, p, policy.RuleIMDS); v.Outcome != want {
			t.Errorf("%q: got %s, want %s", tokens, v.Outcome, want)
		}
	}
	for _, v := range instances.TrustedInstance(world(trusted()), enforcing()) {
		if v.Rule == policy.RuleIMDS {
			t.Errorf("off by default, and says %+v", v)
		}
	}
}

// Each row has an instance with an observed violation of rule vpc.
func TestAViolationHasTheConsequenceThatWasAskedForAfterTheGrace(t *testing.T) {
	ago := func(d time.Duration) fleet.Fact[map[string]time.Time] {
		return fleet.See(map[string]time.Time{policy.RuleVPC: noon.Add(-d)})
	}
	past := ago(25 * time.Hour)
	forged := fleet.Try{N: 39, FirstSeen: noon.Add(-47 * time.Hour)}
	for name, tc := range map[string]struct {
		how    string
		found  fleet.Fact[map[string]time.Time]
		try    fleet.Try
		sweeps bool
		change func(*fleet.Listing)
		want   string // of the change, with its kind
		again  time.Duration
		says   string
	}{
		"none":                 {how: policy.ConsequenceNone, found: past},
		"tag, first look":      {how: policy.ConsequenceTag, found: fleet.See(map[string]time.Time{}), says: "its grace starts at the next sweep"},
		"tag, an hour before":  {how: policy.ConsequenceTag, found: ago(23 * time.Hour), again: time.Hour},
		"tag, after the grace": {how: policy.ConsequenceTag, found: past, want: "tag-instance fleetwarden:violation=trusted-instance"},
		"tag, a grace said to have begun before the instance": {how: policy.ConsequenceTag, found: past, again: 23 * time.Hour,
			change: func(l *fleet.Listing) { l.Created = noon.Add(-time.Hour) }},
		"tag, already there":           {how: policy.ConsequenceTag, found: past, change: func(l *fleet.Listing) { l.Tags[instances.TagViolation] = "" }},
		"stop, first look":             {how: policy.ConsequenceStop, found: fleet.See(map[string]time.Time{}), says: "its grace starts at the next sweep"},
		"stop, after the grace":        {how: policy.ConsequenceStop, found: past, want: "stop-instance fleetwarden:stopped=trusted-instance"},
		"stop, once stopped":           {how: policy.ConsequenceStop, found: past, change: func(l *fleet.Listing) { l.Tags[instances.TagStopped] = "" }},
		"stop, not running":            {how: policy.ConsequenceStop, found: past, change: func(l *fleet.Listing) { l.Status = "Stopped" }},
		"stop, still starting":         {how: policy.ConsequenceStop, found: past, again: 15 * time.Second, change: func(l *fleet.Listing) { l.Status = "Starting" }},
		"stop, first look at a launch": {how: policy.ConsequenceStop, found: fleet.See(map[string]time.Time{}), says: "its grace starts at the next sweep", change: func(l *fleet.Listing) { l.Status = "Pending" }},
		"stop, of Auto Scaling":        {how: policy.ConsequenceStop, found: past, change: func(l *fleet.Listing) { l.Tags[fleet.TagAutoScaling] = "" }},
		"tag, of ACK":                  {how: policy.ConsequenceTag, found: past, change: func(l *fleet.Listing) { l.Tags[fleet.TagACK] = "" }},
		"tag, first found by a sweep": {how: policy.ConsequenceTag, found: fleet.See(map[string]time.Time{}), sweeps: true, again: 24 * time.Hour,
			says: "found first at 2026-11-20T12:00:00Z"},
		"tag, a message says that the grace is over": {how: policy.ConsequenceTag, found: fleet.See(map[string]time.Time{}), try: forged},
		"tag, the memory is not read, and a message says that the grace is over": {how: policy.ConsequenceTag,
			found: fleet.Unknown[map[string]time.Time]("it is cut"), try: forged, says: "it is cut"},
		"tag, another rule has been found for long": {how: policy.ConsequenceTag,
			found: fleet.See(map[string]time.Time{policy.RuleImage: noon.Add(-25 * time.Hour)})},
		"tag, found first in times to come": {how: policy.ConsequenceTag, found: ago(-time.Hour)},
		"stop, the memory is not read":      {how: policy.ConsequenceStop, found: fleet.Fact[map[string]time.Time]{V: past.V, Why: "denied"}, says: "denied"},
	} {
		t.Run(name, func(t *testing.T) {
			i := listed(trusted(), func(l *fleet.Listing) {
				l.VPC, l.Created = "", noon.Add(-48*time.Hour)
				if tc.change != nil {
					tc.change(l)
				}
			})
			i.Ref.Try, i.Found = tc.try, tc.found
			p := enforcing()
			p.TrustedInstance.Consequence = tc.how
			w := world(i)
			w.Remembers = tc.sweeps
			v := one(t, instances.TrustedInstance(w, p), policy.RuleVPC)
			got := ""
			for _, c := range v.Changes {
				got += string(c.Kind) + " " + c.Want
			}
			if v.Outcome != fleet.Violation || got != tc.want || v.Again != tc.again {
				t.Errorf("got %q, again after %v: %+v", got, v.Again, v)
			}
			if !strings.Contains(v.Remedy, tc.says) {
				t.Errorf("says %q, and not %q", v.Remedy, tc.says)
			}
		})
	}
}

func TestNothingIsStoppedEvenWhereAScopeNamesAutoScaling(t *testing.T) {
	i := listed(trusted(), func(l *fleet.Listing) { l.VPC, l.Tags[fleet.TagAutoScaling] = "", "" })
	p := enforcing()
	p.TrustedInstance.Consequence, p.TrustedInstance.Grace = policy.ConsequenceStop, 0
	p.TrustedInstance.Include = []policy.Selector{{Managed: []string{policy.ManagedAutoScaling}}}
	if v := judged(t, i, p, policy.RuleVPC); len(v.Changes) != 0 {
		t.Errorf("got %+v", v)
	}
}

func TestAClaimHasNoConsequence(t *testing.T) {
	p := enforcing()
	p.TrustedInstance.Consequence, p.TrustedInstance.Grace = policy.ConsequenceStop, 0
	t.Run("of the disk", func(t *testing.T) {
		i := launched(trusted(), fleet.Launch{SystemDiskCategory: "cloud_ssd"})
		i.SystemDisk = fleet.Unknown[string]("denied")
		if v := judged(t, i, p, policy.RuleSystemDisk); v.Outcome != fleet.Violation || len(v.Changes) != 0 {
			t.Errorf("got %+v", v)
		}
	})
	t.Run("to be trusted at all", func(t *testing.T) {
		i := launched(trusted(), fleet.Launch{TrustedSystemMode: "vTPM"})
		i = listed(i, func(l *fleet.Listing) { l.Family, l.Tags, l.VPC = "ecs.g7", nil, "" })
		if v := judged(t, i, p, policy.RuleVPC); v.Outcome != fleet.Violation || len(v.Changes) != 0 {
			t.Errorf("got %+v", v)
		}
	})
}

// An image that a rule asks about is one that is read, whichever of the rules are skipped
// and whatever scope each has.
func TestEveryImageThatARuleAsksAboutIsRead(t *testing.T) {
	this := policy.Selector{Accounts: []fleet.AccountID{here.Account}}
	other := policy.Selector{Accounts: []fleet.AccountID{"1000000000000007"}}
	scopes := [][]policy.Selector{nil, {this}, {other}}
	rapid.Check(t, func(t *rapid.T) {
		i, p := ordinary(), enforcing()
		if rapid.Bool().Draw(t, "meant") {
			i = trusted()
		}
		if rapid.Bool().Draw(t, "launch known") {
			i = launched(i, fleet.Launch{})
		}
		c := &p.TrustedInstance
		if rapid.Bool().Draw(t, "require all") {
			c.Require = policy.RequireAll
		}
		c.Skip = rapid.SliceOf(rapid.SampledFrom([]string{policy.RuleImage, policy.RuleHardeningAsked})).Draw(t, "skip")
		for _, s := range []*[]policy.Selector{&c.Include, &c.Exclude, &c.Hardening.Include, &c.Hardening.Exclude} {
			*s = rapid.SampledFrom(scopes).Draw(t, "scope")
		}
		if !instances.WantsImage(p)(&i) {
			i.Image = fleet.Unknown[fleet.Image]("nothing asked for it")
		}
		for _, v := range instances.TrustedInstance(world(i), p) {
			if strings.Contains(v.Reason, "nothing asked for it") {
				t.Errorf("%s: %s", v.Rule, v.Reason)
			}
		}
	})
}

// A verdict outside the rule's own scope is about the rule, not about the instance, which
// the other rules judge.
func TestHardeningsOwnScopeIsThatOfOneRule(t *testing.T) {
	this := policy.Selector{Accounts: []fleet.AccountID{here.Account}}
	lab := policy.Selector{Tags: map[string]string{"env": "lab"}}
	for name, tc := range map[string]struct {
		change     func(*policy.TrustedInstance)
		inst       fleet.Instance
		rule, says string // of the verdict on what is outside
	}{
		"a trusted one":      {func(c *policy.TrustedInstance) { c.Hardening.Exclude = []policy.Selector{this} }, trusted(), policy.RuleHardeningAsked, "outside the scope"},
		"an ordinary one":    {func(c *policy.TrustedInstance) { c.Hardening.Exclude = []policy.Selector{this} }, ordinary(), policy.RuleHardeningAsked, "outside the scope"},
		"by its tags":        {func(c *policy.TrustedInstance) { c.Hardening.Exclude = []policy.Selector{lab} }, ordinary(), policy.RuleHardeningAsked, "whoever may tag"},
		"all of the control": {func(c *policy.TrustedInstance) { c.Exclude = []policy.Selector{lab} }, ordinary(), policy.RuleInstance, "whoever may tag"},
		"wider": {func(c *policy.TrustedInstance) {
			c.Include, c.Hardening.Include = []policy.Selector{lab}, []policy.Selector{this}
		}, listed(ordinary(), func(l *fleet.Listing) { l.Tags = nil }), policy.RuleInstance, "the lack of them"},
	} {
		p := enforcing()
		tc.change(&p.TrustedInstance)
		if name != "wider" {
			tc.inst = listed(tc.inst, func(l *fleet.Listing) {
				l.Tags = maps.Clone(l.Tags)
				if l.Tags == nil {
					l.Tags = map[string]string{}
				}
				l.Tags["env"] = "lab"
			})
		}
		rule, says := "", ""
		for _, v := range instances.TrustedInstance(world(tc.inst), p) {
			if strings.Contains(v.Reason, "outside the scope") {
				rule, says = v.Rule, v.Reason
			}
			if v.Rule == policy.RuleInstance && tc.rule == policy.RuleHardeningAsked && strings.Contains(v.Reason, "outside") {
				t.Errorf("%s: of the instance it is said: %s", name, v.Reason)
			}
		}
		if rule != tc.rule || !strings.Contains(says, tc.says) {
			t.Errorf("%s: %s: %q, want %s: %q", name, rule, says, tc.rule, tc.says)
		}
	}
}

// DescribeImages by id shows no images of the Marketplace and none of the community: such an
// instance is of no public image, and its image need not be gone.
func TestAnImageThatIsNotShownMayBeOneThatIsNeverShown(t *testing.T) {
	for id, want := range map[string]fleet.Outcome{
		"m-bp1market00000000001":                fleet.NotApplicable,
		"aliyun_3_x64_20G_alibase_20230727.vhd": fleet.Undecided,
		"":                                      fleet.Undecided,
	} {
		i := listed(launched(trusted(), fleet.Launch{}), func(l *fleet.Listing) { l.ImageID = id })
		i.Image = fleet.See(fleet.Image{ID: id, Gone: true})
		if v := hardening(t, i, enforcing()); v.Outcome != want {
			t.Errorf("%s: got %s, want %s: %s", id, v.Outcome, want, v.Reason)
		}
		if v := judged(t, i, enforcing(), policy.RuleImage); v.Outcome != fleet.NotAssessable || !strings.Contains(v.Reason, "Marketplace") {
			t.Errorf("%s: %+v", id, v)
		}
	}
}

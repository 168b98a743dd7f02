package policy_test

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// zones are equal if their names are.
var zones = cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() })

func TestAFileSetsItsKeysAndTheRestHasDefaults(t *testing.T) {
	got := mustLoad(t, `
version: 1
accounts:
  - id: 1000000000000001 # YAML reads a number
    name: home
  - {id: "0000000000000003", role: Member}
homeRegion: cn-hangzhou
regions: [cn-hangzhou, ap-southeast-1]
selfManaged: [{tags: {trust-service: self}}]
controls:
  trustedInstance:
    mode: enforce
    include: [{managed: [none, ack], vpcs: [vpc-1]}]
    exclude: [{tags: {env: "*"}}]
    families: [{name: g8i, source: read, date: 2026-11-21}]
    imds: true
    skip: [vpc]
    grace: 90m
  instanceRole: {attachAfter: 0s, conflict: grant}
  agent: {mode: off}
  shareRole:
    approved:
      accounts: [{id: 2}, {id: 3, trust: ahead}]
      folders: [{id: fd-1}]
      directory: ahead
    exclude: [{accounts: ["1000000000000001"]}]
exemptions:
  - control: agent
    instances: [i-1]
    regions: [cn-hangzhou]
    owner: ops
    reason: >
      being moved
    expires: 2026-12-31
limits: {maxChanges: 0}
pacing: {calls: {DescribeInstances: 7}}
sinks: {findings: fleetwarden-findings, least: high}
notify:
  zone: Europe/Berlin
  channels:
    ops:
      type: dingtalk
      secret: fleetwarden-ops
      accounts: [1000000000000001]
      controls: [agent, deployment]
      quiet: 22:00-07:00
    mail: {type: mail, from: guard@mail.example.com, to: [ops@example.com], least: info, digest: false, changes: true, lang: zh}
    inside: {type: webhook, secret: "env:HOOK", networks: [10.1.0.0/16, "fd00::/8"]}
`)
	want := policy.Default()
	want.Accounts = []policy.Account{{ID: "1000000000000001", Name: "home"}, {ID: "0000000000000003", Role: "Member"}}
	want.HomeRegion = "cn-hangzhou"
	want.Regions = []fleet.Region{"cn-hangzhou", "ap-southeast-1"}
	want.SelfManaged = []policy.Selector{{Tags: map[string]string{"trust-service": "self"}}}
	ti := &want.TrustedInstance
	ti.Mode = policy.Enforce
	ti.Include = []policy.Selector{{Managed: []string{"none", "ack"}, VPCs: []string{"vpc-1"}}}
	ti.Exclude = []policy.Selector{{Tags: map[string]string{"env": "*"}}}
	ti.Families = []policy.Family{{Name: "g8i", Source: "read", Date: "2026-11-21"}}
	ti.IMDS, ti.Skip, ti.Grace = true, []string{"vpc"}, 90*time.Minute
	want.InstanceRole.AttachAfter, want.InstanceRole.Conflict = 0, policy.ConflictGrant
	want.Agent.Mode = policy.Off
	want.ShareRole.Approved = policy.Approved{
		Accounts:  []policy.ApprovedAccount{{ID: "2", Trust: "now"}, {ID: "3", Trust: "ahead"}},
		Folders:   []policy.ApprovedFolder{{ID: "fd-1", Trust: "now"}},
		Directory: "ahead",
	}
	want.ShareRole.Exclude = []policy.Selector{{Accounts: []fleet.AccountID{"1000000000000001"}}}
	want.Exemptions = []policy.Exemption{{
		Control: policy.ControlAgent, Instances: []string{"i-1"},
		Selector: policy.Selector{Regions: []fleet.Region{"cn-hangzhou"}},
		Owner:    "ops", Reason: "being moved\n", Expires: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
	}}
	want.Limits.MaxChanges = 0
	want.Pacing.Calls = map[string]int{"DescribeInstances": 7}
	want.Sinks = policy.Sinks{Findings: "fleetwarden-findings", Least: fleet.High}
	want.Notify = policy.Notify{Zone: zoneOf(t, "Europe/Berlin"), Channels: []policy.Channel{
		{Name: "inside", Type: policy.ChannelWebhook, Secret: "env:HOOK", Networks: []string{"10.1.0.0/16", "fd00::/8"}, Least: fleet.High, Digest: true, Lang: policy.LangEnglish},
		{Name: "mail", Type: policy.ChannelMail, From: "guard@mail.example.com", To: []string{"ops@example.com"}, Least: fleet.Info, Changes: true, Lang: policy.LangChinese},
		{Name: "ops", Type: policy.ChannelDingTalk, Secret: "fleetwarden-ops", Least: fleet.High, Accounts: []fleet.AccountID{"1000000000000001"},
			Controls: []string{policy.ControlAgent, policy.ControlDeployment}, Digest: true, Quiet: policy.Quiet{From: 22 * 60, To: 7 * 60}, Lang: policy.LangEnglish},
	}}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(policy.Policy{}, "Digest"), zones); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
}

func TestAMistakeIsReportedWithPositionAndAdvice(t *testing.T) {
	for _, c := range badFiles {
		t.Run(c.name, func(t *testing.T) {
			p, err := policy.Load("p.yaml", []byte(c.file))
			if p != nil || err == nil {
				t.Fatal("the file was taken")
			}
			if diff := cmp.Diff(c.want, err.Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryMistakeIsReportedInOneRunInTheOrderOfTheFile(t *testing.T) {
	_, err := policy.Load("p.yaml", []byte(`versoin: 1
controls:
  agent: {mode: on, push: 3}
regions: auto
regions: [hangzhou]
`))
	want := policy.Problems{
		{File: "p.yaml", Line: 1, Column: 1, Path: "versoin", Message: "unknown key", Hint: `did you mean "version"?`},
		{File: "p.yaml", Line: 1, Column: 1, Message: "version is missing"},
		{File: "p.yaml", Line: 3, Column: 17, Path: "controls.agent.mode", Message: `want off, audit or enforce, found "on"`, Hint: `did you mean "off"?`},
		{File: "p.yaml", Line: 3, Column: 27, Path: "controls.agent.push", Message: "want commands, run-command or one-click, found 3", Hint: "put it in quotes"},
		{File: "p.yaml", Line: 5, Column: 1, Path: "regions", Message: "the key comes twice"},
	}
	var got policy.Problems
	if !errors.As(err, &got) {
		t.Fatalf("error is %T, want policy.Problems", err)
	}
	if diff := cmp.Diff(want, got, cmpopts.SortSlices(func(a, b policy.Problem) bool { return a.Error() < b.Error() })); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(got[len(got)-1].Error(), "p.yaml:5:") {
		t.Errorf("the last problem is %q, want that of line 5", got[len(got)-1])
	}
}

func TestAliasesAreNotFollowedHoweverManyThereAre(t *testing.T) {
	// Followed, this would be a list of a thousand million regions.
	file := "version: 1\nregions:\n- &a0 [ha]\n"
	for i := range 9 {
		file += fmt.Sprintf("- &a%d [%s]\n", i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i), 10), ","))
	}
	_, err := policy.Load("p.yaml", []byte(file))
	var got policy.Problems
	if !errors.As(err, &got) || len(got) != 10+90 {
		t.Fatalf("%d problems, want one for each of 10 anchors and 90 aliases: %v", len(got), err)
	}
}

func TestAFileOverTheSizeLimitIsRefusedAndOneAtTheLimitIsNot(t *testing.T) {
	atLimit := "version: 1\n#" + strings.Repeat("x", policy.MaxSize-12)
	if _, err := policy.Load("p.yaml", []byte(atLimit)); err != nil {
		t.Errorf("%d bytes: %v", len(atLimit), err)
	}
	_, err := policy.Load("p.yaml", []byte(atLimit+"x"))
	if want := "p.yaml:1:1: 262145 bytes; a policy has at most 262144"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestADigestIsOfMeaningNotSpelling(t *testing.T) {
	base := mustLoad(t, "version: 1\naccounts: [{id: 1}]\nlimits: {maxChanges: 7}\n")
	same := []string{
		`{"limits":{"maxChanges":7,"maxPercent":20},"accounts":[{"id":"1"}],"version":1}`,
		"# a comment\nversion: 1\nregions: auto\nlimits:\n  maxChanges: 0x7\naccounts:\n- id: 1\n",
		"version: 1\naccounts: [{id: 1}]\nlimits: {maxChanges: 7}\ncontrols: {instanceRole: {attachAfter: 300s}}\n",
		string(base.JSON()),
	}
	for _, file := range same {
		if got := mustLoad(t, file); got.Digest != base.Digest {
			t.Errorf("another digest for\n%s\nwhich is %s", file, got.JSON())
		}
	}
	if other := mustLoad(t, "version: 1\naccounts: [{id: 1}]\nlimits: {maxChanges: 8}\n"); other.Digest == base.Digest {
		t.Error("the same digest for another limit")
	}
}

func TestNoFileMeansAuditOfTheOwnAccountOnly(t *testing.T) {
	p := policy.Default()
	for name, mode := range modes(p) {
		if mode != policy.Audit {
			t.Errorf("%s is in mode %q, want audit", name, mode)
		}
	}
	if p.Knows("1000000000000001") {
		t.Error("knows an account that is not named")
	}
	home := p.WithHome("1000000000000001")
	if !home.Knows("1000000000000001") || home.Knows("1000000000000002") {
		t.Error("with a home, knows not exactly the home")
	}
	if p.Knows("1000000000000001") {
		t.Error("WithHome changed the policy it was asked of")
	}
	if home.Digest != p.Digest || home.WithHome("1000000000000001") != home {
		t.Error("a home is no change of the file")
	}
}

func TestOnePolicyGivenTwoHomesMakesTwoPolicies(t *testing.T) {
	p := &policy.Policy{Accounts: make([]policy.Account, 0, 4)}
	one, two := p.WithHome("1"), p.WithHome("2")
	if !one.Knows("1") || one.Knows("2") || !two.Knows("2") {
		t.Errorf("accounts %v and %v, want 1 and 2", one.Accounts, two.Accounts)
	}
}

func TestTheRoleInAnAccountIsItsOwnElseThatOfTheDirectory(t *testing.T) {
	named := `accounts: [{id: 1, name: home}, {id: 3, role: Ours}]` + "\n"
	for name, c := range map[string]struct {
		file  string
		roles map[fleet.AccountID]string // of accounts that are known and reached
		known []fleet.AccountID          // of those that are only known
		not   []fleet.AccountID
	}{
		"no account named": {file: with(""), not: []fleet.AccountID{"1", "3"}},
		"accounts":         {file: with(named), roles: map[fleet.AccountID]string{"3": "Ours"}, known: []fleet.AccountID{"1"}, not: []fleet.AccountID{"4"}},
		"a directory": {file: with("directory: {role: All}"), roles: map[fleet.AccountID]string{"1": "All", "4": "All"},
			not: []fleet.AccountID{"", "fd-1", "1:role/x", "../1"}},
		"both": {file: with(named + "directory: {role: All}"), roles: map[fleet.AccountID]string{"1": "All", "3": "Ours", "4": "All"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := mustLoad(t, c.file)
			for id, want := range c.roles {
				if got, ok := p.RoleIn(id); got != want || !ok || !p.Knows(id) {
					t.Errorf("%s: role %q, %v, known %v; want %s", id, got, ok, p.Knows(id), want)
				}
			}
			for _, id := range c.known {
				if role, ok := p.RoleIn(id); ok || !p.Knows(id) {
					t.Errorf("%s: role %q, known %v; want that it is known and has none", id, role, p.Knows(id))
				}
			}
			for _, id := range c.not {
				if role, ok := p.RoleIn(id); ok || p.Knows(id) {
					t.Errorf("%q: role %q, known %v; want neither", id, role, p.Knows(id))
				}
			}
		})
	}
}

func TestTheShippedPolicyMeansTheSameAsNoFile(t *testing.T) {
	shipped := mustLoadFile(t, "../../deploy/policy.yaml")
	if diff := cmp.Diff(policy.Default(), shipped, zones); diff != "" {
		t.Errorf("policy (-default +shipped):\n%s", diff)
	}
}

func TestTheExamplesInTheShippedPolicyAreTakenWhenUncommented(t *testing.T) {
	data, err := os.ReadFile("../../deploy/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p := mustLoad(t, uncommented(string(data)))
	if len(p.Accounts) != 2 || p.Directory.Role == "" || len(p.SelfManaged) != 1 || len(p.Exemptions) != 1 || p.ShareRole.Approved.Directory != "ahead" ||
		len(p.TrustedInstance.Include) != 2 || p.Pacing.Budget("AttachInstanceRamRole") != 100 || p.Sinks.Findings == "" || len(p.Notify.Channels) != 3 {
		t.Errorf("not all examples were read: %s", p.JSON())
	}
}

func TestTheLocalPolicyEnforcesEverything(t *testing.T) {
	p := mustLoadFile(t, "../../deploy/local/policy.yaml")
	for name, mode := range modes(p) {
		if mode != policy.Enforce {
			t.Errorf("%s is in mode %q, want enforce", name, mode)
		}
	}
	if !p.Knows("1000000000000001") || !p.Knows("1000000000000003") || p.Knows("1000000000000002") {
		t.Error("want it to know the home and the member, not the sharee")
	}
	if p.InstanceRole.AttachAfter != 0 || p.InstanceRole.Conflict != policy.ConflictReport {
		t.Errorf("instance role: %+v", p.InstanceRole)
	}
	own := fleet.See(fleet.Listing{Tags: map[string]string{"trust-service": "self"}})
	if p.IsSelfManaged(fleet.Scope{Account: "1000000000000001", Region: "cn-hangzhou"}, own) != policy.Yes {
		t.Error("tag trust-service=self does not mean self-managed")
	}
}

func modes(p *policy.Policy) map[string]policy.Mode {
	byID := map[string]policy.Mode{}
	for _, id := range policy.Controls() {
		byID[id] = p.ModeOf(id)
	}
	return byID
}

func TestAControlThatThePolicyDoesNotKnowIsOff(t *testing.T) {
	p := mustLoadFile(t, "../../deploy/local/policy.yaml")
	if got := p.ModeOf("instanceRole"); got != policy.Off {
		t.Errorf("mode %q, want off: ids are spelt as in records", got)
	}
}

// uncommented turns the commented keys and list items of a file into the file's
// own; prose stays commented.
func uncommented(file string) string {
	lines := strings.Split(file, "\n")
	for i, line := range lines {
		indent, comment, found := strings.Cut(line, "# ")
		if found && strings.TrimSpace(indent) == "" && isYAML(comment) {
			lines[i] = indent + comment
		}
	}
	return strings.Join(lines, "\n")
}

// isYAML reports whether an example is YAML, not prose: it starts with one word and a
// colon.
func isYAML(comment string) bool {
	return regexp.MustCompile(`^ *(- )?\{?[a-zA-Z]+:( |$)`).MatchString(comment)
}

func mustLoad(t testing.TB, file string) *policy.Policy {
	t.Helper()
	p, err := policy.Load("p.yaml", []byte(file))
	if err != nil {
		t.Fatalf("%v\nin\n%s", err, file)
	}
	return p
}

func mustLoadFile(t testing.TB, name string) *policy.Policy {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.Load(name, data)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

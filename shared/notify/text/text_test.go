package text

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/notify"
	"fleetwarden/shared/policy"
)

var update = flag.Bool("update", false, "write testdata instead of comparing; read the difference before committing it")

var languages = []string{policy.LangEnglish, policy.LangChinese, policy.LangJapanese}

const (
	prod = fleet.AccountID("1000000000000001")
	dev  = fleet.AccountID("1000000000000002")
)

var (
	night = time.Date(2026, 12, 1, 18, 0, 0, 0, time.UTC)
	links = Links{Names: map[fleet.AccountID]string{prod: "prod"}, Zone: time.FixedZone("Asia/Shanghai", 8*3600), Home: "cn-hangzhou"}
)

func card(kind notify.Kind, g notify.Group) notify.Card {
	return notify.Card{V: notify.CardVersion, Kind: kind, Key: "b7f3a2", Day: "2026-12-02", At: night, Group: g}
}

func ids(n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf("i-bp1%05d", i))
	}
	return out
}

func agents() notify.Card {
	c := card(notify.KindFinding, notify.Group{Control: policy.ControlAgent, Rule: policy.RuleAgentOnline, Outcome: fleet.Violation, Severity: fleet.High,
		Account: prod, Regions: []fleet.Region{"cn-hangzhou", "cn-shanghai"}, IDs: ids(8), Count: 12,
		Reason: "the agent is not installed", Remedy: "set controls.agent.mode to enforce in the policy file, and deploy it: make deploy"})
	c.More = true
	return c
}

func digest(d notify.Digest) notify.Card {
	c := card(notify.KindDigest, notify.Group{})
	d.Run, d.Started, d.Ended = "sweep-20261201T180000Z-abcdef", night, night.Add(10*time.Minute)
	d.Report = "oss://fleetwarden-1000000000000001/ledger/reports/sweep-20261201T180000Z-abcdef/"
	c.Digest = &d
	return c
}

// cards are one of each kind and case.
var cards = map[string]notify.Card{
	"finding": agents(),
	"finding_one": card(notify.KindFinding, notify.Group{Control: policy.ControlInstanceRole, Rule: policy.RuleSystrustRole, Outcome: fleet.Conflict, Severity: fleet.Critical,
		Account: dev, Regions: []fleet.Region{"cn-hangzhou"}, IDs: ids(1), Count: 1, Reason: "the role app lacks the action yundun-systrust:PutMessage", Remedy: "grant it"}),
	"finding_account": card(notify.KindFinding, notify.Group{Control: policy.ControlTrustedInstance, Rule: policy.RuleKMSEnabled, Outcome: fleet.Violation, Severity: fleet.Medium,
		Account: prod, Regions: []fleet.Region{"cn-hangzhou"}, Count: 1, Reason: "KMS is not enabled", Remedy: "enable KMS"}),
	"finding_unknown": card(notify.KindFinding, notify.Group{Control: policy.ControlAgent, Rule: policy.RuleAgentOnline, Outcome: fleet.Undecided, Severity: fleet.Medium,
		Account: prod, Regions: []fleet.Region{"cn-hangzhou"}, IDs: ids(2), Count: 2, Reason: "sas:DescribeCloudCenterInstances is denied"}),
	"finding_limit": card(notify.KindFinding, notify.Group{Control: policy.ControlInstanceRole, Rule: "limit", Outcome: fleet.Fault, Severity: fleet.High,
		Account: prod, Regions: []fleet.Region{"cn-hangzhou", "cn-shanghai"}, Count: 2, Reason: "40 changes of rule systrust-role are held",
		Remedy: policy.LetThrough(fleet.Scope{Account: prod, Region: "cn-hangzhou"}, policy.ControlInstanceRole)}),
	"finding_doctor": card(notify.KindFinding, notify.Group{Control: "deployment", Rule: "dead-letters", Outcome: fleet.Violation, Severity: fleet.High,
		Account: prod, Regions: []fleet.Region{"cn-hangzhou"}, IDs: []string{"fleetwarden-dead-letters"}, Count: 1, Reason: "3 messages", Remedy: "fleetwarden redrive"}),
	"change": card(notify.KindChange, notify.Group{Control: policy.ControlInstanceRole, Rule: policy.RuleSystrustRole, Change: fleet.AttachRole,
		Account: prod, Regions: []fleet.Region{"cn-hangzhou"}, IDs: ids(5), Count: 7, Reason: "no role"}),
	"change_role": card(notify.KindChange, notify.Group{Control: policy.ControlShareRole, Rule: policy.RuleShareTrust, Change: fleet.SetShareTrust,
		Account: dev, IDs: []string{"AliyunECSShareEncryptImageDefaultRole"}, Count: 1}),
	"sample": card(notify.KindSample, notify.Group{}),
	"digest": digest(notify.Digest{Seen: 1234, Unread: 2, Undetermined: 3, Uncompared: 1,
		NotRead: []notify.NotReadDigest{{Account: dev, Region: "cn-shanghai", Why: "ecs:DescribeInstances is denied"}, {Account: dev, Why: "ram:GetRole is denied"}},
		Rules: []notify.RuleDigest{
			{Control: policy.ControlShareRole, Rule: policy.RuleOpenTrust, Severity: fleet.Critical, Failing: 1, Uncompared: 1},
			{Control: policy.ControlInstanceRole, Rule: policy.RuleSystrustRole, Severity: fleet.High, Failing: 40, New: 1},
			{Control: policy.ControlAgent, Rule: policy.RuleAgentOnline, Severity: fleet.Medium, Failing: 10, New: 3, Fixed: 2, Uncompared: 7},
			{Control: policy.ControlTrustedInstance, Rule: policy.RuleVPC, Fixed: 1}},
		Held: []notify.HeldDigest{
			{Control: policy.ControlInstanceRole, Rule: policy.RuleSystrustRole, Account: prod, Region: "cn-hangzhou", N: 40, Since: night.AddDate(0, 0, -2), Why: "40 changes, more than maxChanges 20", Limit: true},
			{Control: policy.ControlShareRole, Rule: policy.RuleShareTrust, Account: dev, N: 1, Why: "setup-share-role in the home region could not be notified: denied"}},
		Pauses: []notify.PauseDigest{{Until: night.Add(2 * time.Hour), By: "acs:ram::1000000000000001:user/eva", Reason: "ticket 4711"},
			{Control: policy.ControlAgent, Account: prod, Until: night.Add(3 * time.Hour), By: "acs:ram::1000000000000001:user/eva", Reason: "ticket 4712"}},
		Expiring: []notify.ExpiringDigest{{Control: policy.ControlAgent, Owner: "ops", Reason: "old images", Expires: night.Add(-2 * time.Hour)},
			{Control: policy.ControlTrustedInstance, Rule: policy.RuleVPC, Owner: "eva", Reason: "ticket 4711", Expires: night.AddDate(0, 0, 9)}},
	}),
	"digest_well": digest(notify.Digest{Seen: 1, Rules: []notify.RuleDigest{{Control: policy.ControlAgent, Rule: policy.RuleAgentOnline, Fixed: 2}}}),
	"digest_first": digest(notify.Digest{Seen: 5, Uncompared: 2,
		Rules: []notify.RuleDigest{{Control: policy.ControlAgent, Rule: policy.RuleAgentOnline, Severity: fleet.High, Failing: 1, Uncompared: 1}}}),
	"digest_nothing":   digest(notify.Digest{Unread: 1, NotRead: []notify.NotReadDigest{{Account: dev, Region: "cn-hangzhou", Why: "no session"}}}),
	"digest_unknown":   digest(notify.Digest{Seen: 9, Undetermined: 1}),
	"digest_elsewhere": digest(notify.Digest{Seen: 9, Elsewhere: 3}),
	"digest_pauses":    digest(notify.Digest{Seen: 9, PausesNotRead: "reading what is paused: ledger object control/1.json: it is no order; remove it from the ledger's bucket"}),
}

// plain writes a document as a reader sees it.
func plain(d notify.Document) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\ntone: %s\n", d.Title, d.Tone)
	for _, s := range d.Sections {
		fmt.Fprintf(&b, "\n")
		if s.Heading != "" {
			fmt.Fprintf(&b, "## %s\n", s.Heading)
		}
		for _, l := range s.Lines {
			if l.Label != "" {
				fmt.Fprintf(&b, "%s: ", l.Label)
			}
			if l.Code {
				l.Text = "`" + l.Text + "`"
			}
			fmt.Fprintf(&b, "%s\n", l.Text)
		}
	}
	for _, l := range d.Links {
		fmt.Fprintf(&b, "\n[%s]\n%s\n", l.Text, l.URL)
	}
	fmt.Fprintf(&b, "\n-- %s\n", d.Footer)
	return b.String()
}

func TestACardReadsAsItsGoldenInEachLanguage(t *testing.T) {
	for _, lang := range languages {
		for name, c := range cards {
			file, got := filepath.Join("testdata", lang, name+".txt"), plain(Document(c, lang, links))
			if *update {
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				continue
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", file, diff)
			}
		}
		if files, err := os.ReadDir(filepath.Join("testdata", lang)); err != nil || len(files) != len(cards) {
			t.Errorf("%s: %d files for %d cards: %v", lang, len(files), len(cards), err)
		}
	}
}

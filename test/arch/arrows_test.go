package arch_test

import (
	"slices"
	"strings"
	"testing"
)

// arrows says what the packages of a folder may import of this repository. What is
// not listed may import nothing of it. The longest matching folder counts.
var arrows = []struct {
	folder string
	may    []string // "name/" stands for the folder with all below it
	why    string
}{
	{"functions", []string{"events", "shared/", "deploy/commands", "deploy/ram"}, "a function is wired from shared parts; functions never import each other"},
	{"events", []string{"shared/fleet"}, "events turns bytes into refs and knows nothing of what is done with them"},
	{"shared/fleet", nil, "fleet is what everything passes on; it depends on nothing"},
	{"shared/policy/edit", []string{"shared/policy"}, "it edits the text of a policy file, and has the policy check it"},
	{"shared/policy", []string{"shared/fleet"}, "the policy speaks of fleet values"},
	{"shared/rampolicy", []string{"shared/fleet"}, "RAM documents are judged by themselves"},
	{"shared/rules/verdict", []string{"shared/fleet", "shared/policy", "shared/rampolicy"}, "verdicts are made of values alone"},
	{"shared/rules", []string{"shared/fleet", "shared/policy", "shared/rampolicy", "shared/rules/verdict"}, "rules decide from values alone, those of one room without those of another"},
	{"shared/observe", []string{"shared/fleet", "shared/rampolicy"}, "observe declares what it reads; aliyun implements it"},
	{"shared/acts/instancerole", []string{"shared/acts", "shared/fleet", "shared/rampolicy"}, "acts declare what they write; aliyun implements it"},
	{"shared/acts/sharerole", []string{"shared/acts", "shared/fleet", "shared/rampolicy"}, "acts declare what they write; aliyun implements it"},
	{"shared/acts/agent", []string{"shared/acts", "shared/fleet"}, "acts declare what they write; aliyun implements it"},
	{"shared/acts/sanction", []string{"shared/acts", "shared/fleet"}, "acts declare what they write; aliyun implements it"},
	{"shared/acts", []string{"shared/fleet"}, "acts speak of fleet values, and share how a write is settled"},
	{"shared/reconcile", []string{"shared/fleet", "shared/policy"}, "the loop knows nothing of ECS"},
	{"shared/aliyun/aliyuntest", []string{"shared/aliyun", "deploy/local/simcloud/server"}, "a cloud and a client of it, for tests"},
	{"shared/aliyun", []string{"shared/fleet", "shared/aliyun"}, "clients speak fleet values and decide nothing"},
	{"shared/queue", []string{"shared/fleet", "shared/aliyun/mns"}, "inboxes stand on MNS"},
	{"shared/ledger", []string{"shared/fleet"}, "the ledger knows objects by name, and no cloud"},
	{"shared/operate/replay", []string{"shared/fleet", "shared/ledger", "shared/queue", "shared/aliyun/trail"}, "it speaks of trail records and inboxes, and is handed both"},
	{"shared/operate/why", []string{"shared/fleet", "shared/policy", "shared/ledger", "shared/report", "shared/rules/instances", "shared/rules/verdict", "shared/aliyun/trail"}, "it explains what its readers returned; they and the judge are passed in"},
	{"shared/operate/redrive", []string{"shared/fleet", "shared/queue", "shared/aliyun/mns"}, "it speaks of queue messages and inboxes, and is handed both"},
	{"shared/operate/undo", []string{"shared/fleet", "shared/policy", "shared/rampolicy", "shared/ledger", "shared/reconcile", "shared/acts", "shared/acts/instancerole", "shared/acts/sharerole", "shared/acts/sanction"}, "it turns the ledger's changes into changes for the acts; clients are passed in"},
	{"shared/operate/canary/clients", []string{"shared/aliyun/ecs", "shared/aliyun/eventbridge", "shared/aliyun/sls", "shared/aliyun/trail", "shared/fleet", "shared/invocation", "shared/operate/canary"}, "it gives a canary the clients of a call"},
	{"shared/operate/canary", []string{"shared/fleet"}, "it declares what it asks; its clients implement it"},
	{"shared/operate/doctor/clients", []string{"deploy/commands", "deploy/ram", "events", "shared/aliyun", "shared/aliyun/", "shared/deployment", "shared/fleet", "shared/invocation", "shared/operate/doctor", "shared/policy"}, "it gives the doctor the clients of a call, and the files that a deployment is made from"},
	{"shared/operate/doctor", []string{"shared/deployment", "shared/fleet", "shared/ledger", "shared/operate/sweep", "shared/pause", "shared/policy", "shared/rampolicy", "shared/reconcile"}, "it declares what it reads; its clients implement it"},
	{"shared/notify/channel", []string{"shared/fleet", "shared/notify", "shared/policy"}, "it writes documents and posts them; it knows neither cards nor the ledger, and is handed who sends mail"},
	{"shared/report/page", []string{"shared/fleet", "shared/report"}, "the page shows what report computes"},
	{"shared/memory", []string{"shared/fleet", "shared/ledger"}, "the memory is objects of the ledger, and knows no cloud"},
	{"shared/pause", []string{"shared/fleet", "shared/ledger"}, "orders are objects of the ledger, and know no cloud"},
	{"shared/operate/sweep/publish", []string{"shared/fleet", "shared/ledger", "shared/operate/sweep", "shared/report", "shared/report/page"}, "it writes what report renders; a sweep does not link the page"},
	{"shared/operate/sweep", []string{"shared/fleet", "shared/ledger", "shared/memory", "shared/pause", "shared/policy", "shared/reconcile", "shared/report"}, "a sweep knows no cloud: what it looks with is handed in"},
	{"shared/operate/plan", []string{"shared/fleet", "shared/ledger", "shared/policy", "shared/reconcile", "shared/operate/sweep"}, "a plan is made from a sweep's findings, and is sent to owners"},
	{"shared/controls/all", []string{"shared/acts/agent", "shared/aliyun", "shared/aliyun/", "shared/controls", "shared/fleet", "shared/invocation", "shared/observe", "shared/policy", "shared/reconcile", "shared/rules/"}, "it gives the controls the clients of an account, and no acts but the parser of the trust client's script"},
	{"shared/controls", []string{"events", "shared/aliyun", "shared/fleet", "shared/invocation", "shared/observe", "shared/policy", "shared/reconcile", "shared/rules/"}, "it wires observe and decide, and links no client and no act"},
	{"shared/notify/clients", []string{"shared/aliyun/dm", "shared/aliyun/kms", "shared/fleet", "shared/invocation", "shared/ledger", "shared/notify", "shared/notify/", "shared/operate/sweep", "shared/pause", "shared/policy", "shared/report"}, "it gives a delivery the clients of a call"},
	{"shared/notify/delivery", []string{"shared/fleet", "shared/ledger", "shared/notify", "shared/policy", "shared/reconcile", "shared/report"}, "it decides what is sent when; channels, reports and inbox are passed in"},
	{"shared/notify/text", []string{"shared/fleet", "shared/notify", "shared/policy"}, "a text is made of a card's values alone"},
	{"shared/notify", []string{"shared/fleet", "shared/report"}, "cards are values; a digest is made of a sweep's summary"},
	{"shared/report", []string{"shared/fleet"}, "records are rendered, not judged"},
	{"shared/invocation", []string{"shared/aliyun", "shared/aliyun/mns", "shared/aliyun/oss", "shared/aliyun/sts", "shared/fleet", "shared/ledger", "shared/pause", "shared/policy", "shared/queue", "shared/reconcile"}, "it is what a call has, and knows neither the platform nor a control"},
	{"shared/fcrun", []string{"shared/aliyun", "shared/aliyun/mns", "shared/fleet", "shared/invocation", "shared/ledger", "shared/notify", "shared/policy", "shared/queue", "shared/reconcile", "shared/report"}, "it joins the platform to a pass, and knows no control"},
	{"shared/command", []string{"events", "shared/aliyun/ecs", "shared/aliyun/ram", "shared/aliyun/sas", "shared/aliyun/sls", "shared/aliyun/trail", "shared/controls/all", "shared/deployment", "shared/fleet", "shared/invocation", "shared/ledger", "shared/memory", "shared/notify", "shared/notify/clients", "shared/operate/", "shared/pause", "shared/policy", "shared/reconcile", "shared/report"}, "it has operate do the work, and knows no terminal"},
	{"shared/cli", []string{"shared/aliyun", "shared/aliyun/fc", "shared/aliyun/sts", "shared/command", "shared/deployment", "shared/fleet", "shared/invocation", "shared/ledger", "shared/operate/canary", "shared/operate/doctor", "shared/operate/plan", "shared/operate/redrive", "shared/operate/sweep", "shared/operate/sweep/publish", "shared/operate/why", "shared/policy", "shared/policy/edit", "shared/queue", "shared/report"}, "it joins a terminal to the commands, and knows no control"},
	{"shared/deployment", []string{"shared/fleet", "shared/aliyun/eventbridge", "shared/aliyun/fc"}, "it compares what stands with what was wanted, and changes nothing"},
	{"deploy/rollout", []string{"deploy/local/manifest", "shared/deployment", "shared/fleet", "shared/invocation", "shared/policy", "shared/aliyun/"}, "it reads s.yaml as the local cloud does, and links no control"},
	{"deploy/pack", []string{"shared/policy"}, "it ships the policy file, checked by the code that will read it"},
	{"deploy/local/simcloud", []string{"deploy/local/simcloud/"}, "the local cloud must not share a misunderstanding with the product"},
	{"deploy/fleetwarden", []string{"shared/cli", "shared/command"}, "the tool's main lists its commands"},
	{"deploy", []string{"deploy/"}, "the local deployment runs binaries on the local cloud; it does not link the product"},
	{"test/chaos", []string{"deploy/local/"}, "what must be true is written there a second time: nothing of the product may be linked"},
	{"test/arch", nil, "it reads source text only"},
}

func TestArrows(t *testing.T) {
	used := map[string]bool{}
	for _, f := range tree(t) {
		if f.test {
			continue
		}
		at := slices.IndexFunc(arrows, func(a struct {
			folder string
			may    []string
			why    string
		}) bool {
			return below(f.dir, a.folder)
		})
		if at < 0 {
			if !below(f.dir, "test") {
				t.Errorf("%s: no row of the table speaks of this folder", f.name)
			}
			continue
		}
		rule := arrows[at]
		used[rule.folder] = true
		for _, imp := range f.imports() {
			own, ok := strings.CutPrefix(imp, module)
			if !ok || allowed(own, rule.may) {
				continue
			}
			t.Errorf("%s imports %s: %s", f.name, imp, rule.why)
		}
	}
	for _, rule := range arrows {
		if !used[rule.folder] {
			t.Errorf("no package in %s: the row is out of date", rule.folder)
		}
	}
}

func allowed(own string, may []string) bool {
	return slices.ContainsFunc(may, func(m string) bool {
		folder, tree := strings.CutSuffix(m, "/")
		return own == folder || (tree && below(own, folder))
	})
}

// owners are outside packages that one folder alone may import.
var owners = []struct {
	prefix string
	in     []string
	why    string
}{
	{"github.com/alibabacloud-go/", []string{"shared/aliyun", "deploy/local/stage"}, "only aliyun knows a cloud SDK; the stage plays the customer with it"},
	{"github.com/aliyun/credentials-go", []string{"shared/aliyun"}, "only aliyun knows credentials"},
	{"github.com/aliyun/aliyun-mns-go-sdk", []string{"shared/aliyun/mns"}, "only aliyun/mns knows the MNS SDK"},
	{"github.com/aliyun/alibabacloud-oss-go-sdk-v2", []string{"shared/aliyun/oss"}, "only aliyun/oss knows the OSS SDK"},
	{"github.com/aliyun/fc-runtime-go-sdk", []string{"shared/fcrun", "deploy/local"}, "only fcrun knows the platform's runtime"},
	{"github.com/aliyun/alibaba-cloud-sdk-go", nil, "the older SDK is a witness in tests"},
	{"github.com/go-analyze/charts", []string{"shared/report/page"}, "only the page draws; what links it grows by a chart library"},
	{"go.yaml.in/yaml", []string{"shared/policy", "deploy/local"}, "YAML is read where files are"},
}

func TestOutsidePackagesHaveOneOwner(t *testing.T) {
	for _, f := range tree(t) {
		if f.test || below(f.dir, "test/conformance") || below(f.dir, "test/bench") {
			continue
		}
		for _, imp := range f.imports() {
			for _, o := range owners {
				if strings.HasPrefix(imp, o.prefix) && !slices.ContainsFunc(o.in, func(in string) bool { return below(f.dir, in) }) {
					t.Errorf("%s imports %s: %s", f.name, imp, o.why)
				}
			}
		}
	}
}

// pure packages decide; what they see comes in as values.
var pure = []string{"shared/fleet", "shared/notify/text", "shared/policy", "shared/rampolicy", "shared/rules"}

func TestPurePackagesTouchNothing(t *testing.T) {
	forbidden := []string{"context", "net", "os", "log", "log/slog", "math/rand", "math/rand/v2", "sync"}
	for _, f := range tree(t) {
		if f.test || !slices.ContainsFunc(pure, func(p string) bool { return below(f.dir, p) }) {
			continue
		}
		for _, imp := range f.imports() {
			if imp == "net/netip" { // addresses are values there
				continue
			}
			if slices.Contains(forbidden, imp) || strings.HasPrefix(imp, "net/") || strings.HasPrefix(imp, "os/") {
				t.Errorf("%s imports %s: a pure package has no way to the outside", f.name, imp)
			}
		}
		for _, call := range calls(f, "time") {
			if call.name == "Now" || call.name == "Since" || call.name == "Until" {
				t.Errorf("%s:%d calls time.%s: the time comes in as a value", f.name, call.line, call.name)
			}
		}
	}
}

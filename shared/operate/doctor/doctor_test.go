package doctor_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fleetwarden/shared/aliyun/eventbridge"
	"fleetwarden/shared/aliyun/fc"
	"fleetwarden/shared/deployment"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/doctor"
	"fleetwarden/shared/policy"
)

const (
	home    = fleet.Region("cn-hangzhou")
	other   = fleet.Region("cn-shanghai")
	account = fleet.AccountID("1000000000000001")
	member  = fleet.AccountID("1000000000000003")
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// failure is an error of the cloud.
type failure struct {
	class     fleet.Class
	api, code string
}

func (f failure) Error() string      { return fmt.Sprint(f.api, ": ", f.class, ": ", f.code) }
func (f failure) Class() fleet.Class { return f.class }
func (f failure) Called() string     { return f.api }
func (f failure) ErrorCode() string  { return f.code }

// world is a deployment that is well, until a test breaks a part of it. Its maps have what
// exists, by region and name.
type world struct {
	account   fleet.AccountID
	caller    error
	functions map[string]*fc.Function
	triggers  map[string][]fc.Trigger
	reserved  map[string]int
	rules     map[string]*eventbridge.Rule
	roles     map[string]fleet.Role
	trails    []doctor.Trail
	queues    map[string]doctor.Queue
	letters   []doctor.Letter
	inbox     []doctor.Letter // of attach-role at home
	depth     map[string]doctor.Depth
	objects   map[string]string
	versions  string
	kms       string
	secrets   map[string]bool
	commands  map[string]string
	entered   error
	absent    string
	links     string // the one that is missing
	matches   bool
	idle      string // the function that passed last at passed
	passed    time.Time
	event     time.Time // the last one that each function has seen
	theirs    string    // the ledger of the functions
	// err is the error of each call of an API, and all that of every call.
	err map[string]error
	all error
	// late, when set, ends the context of each call before its answer.
	late func()
	// lag is how long each call takes, deaf an API whose client knows no context: it answers after
	// an hour.
	lag  time.Duration
	deaf string

	mu   sync.Mutex
	most int // at the same time
	now  int
}

func (w *world) call(ctx context.Context, api string) error {
	w.mu.Lock()
	w.now++
	w.most = max(w.most, w.now)
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		w.now--
		w.mu.Unlock()
	}()
	if w.late != nil {
		w.late()
		<-ctx.Done()
		return failure{class: fleet.Canceled, api: api}
	}
	if api == w.deaf {
		time.Sleep(time.Hour)
	}
	if w.lag > 0 {
		select {
		case <-time.After(w.lag):
		case <-ctx.Done():
			return failure{class: fleet.Canceled, api: api}
		}
	}
	if err := w.err[api]; err != nil {
		return err
	}
	if f, ok := w.all.(failure); ok {
		f.api = api
		return f
	}
	return w.all
}

func missing(api string) error { return failure{class: fleet.NotFound, api: api} }

func at(region fleet.Region, name string) string { return string(region) + "/" + name }

// newWorld is deployed in two regions.
func newWorld() *world {
	w := &world{account: account, functions: map[string]*fc.Function{}, triggers: map[string][]fc.Trigger{}, reserved: map[string]int{}, rules: map[string]*eventbridge.Rule{},
		roles: map[string]fleet.Role{}, trails: []doctor.Trail{{Name: "fleetwarden-trail", Logging: true}}, queues: map[string]doctor.Queue{}, objects: map[string]string{},
		kms: "Enabled", secrets: map[string]bool{at(home, "fleetwarden-robots/ops"): true}, commands: map[string]string{"fleetwarden-agent-linux": "c-1"}, matches: true, err: map[string]error{}}
	for _, region := range []fleet.Region{home, other} {
		w.queues[at(region, "fleetwarden-dead-letters")] = doctor.Queue{}
		w.rules[at(region, "fleetwarden-instance-running-to-attach-role")] = &eventbridge.Rule{Status: "ENABLE", Pattern: `{"source":["acs.ecs"]}`, Targets: []eventbridge.Target{{ID: "q", Type: "acs.mns.queue"}}}
		for _, f := range fleet.Functions() {
			if f.Home && region != home {
				continue
			}
			name := fleet.CloudName(f.Name)
			if f.HasInbox() {
				w.queues[at(region, name)] = doctor.Queue{DeadLetters: "fleetwarden-dead-letters"}
			}
			w.functions[at(region, name)] = &fc.Function{Name: name, ARN: "acs:fc:" + string(region) + ":" + string(account) + ":functions/" + name, CodeChecksum: "7", Runtime: "go1",
				Role: "acs:ram::" + string(account) + ":role/" + name, State: "Active", LastUpdate: "Successful"}
			w.triggers[at(region, name)] = []fc.Trigger{{Name: "launches", Type: "eventbridge", Config: `{"eventRuleFilterPattern":"{\"source\":[\"acs.ecs\"]}"}`}}
			w.reserved[at(region, name)] = 1
			w.roles[name] = fleet.Role{Name: name, Trust: deployment.Trust(), Policies: []fleet.Policy{{Name: name, Document: ownPolicy}}}
		}
	}
	w.roles["FleetwardenMember"] = fleet.Role{Name: "FleetwardenMember", Trust: deployment.Trust(), Policies: []fleet.Policy{{Name: "m", Document: memberPolicy}}}
	w.objects["starts/sweep-20261124T033000Z-abcdef.json"] = "{}"
	w.objects["reports/sweep-20261124T033000Z-abcdef/summary.json"] = "{}"
	w.record()
	w.most = 0
	return w
}

const (
	ownPolicy = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"mns:SendMessage","Resource":"acs:mns:*:*:/queues/fleetwarden-dead-letters/messages"},` +
		`{"Effect":"Allow","Action":"log:PostLogStoreLogs","Resource":"acs:log:*:*:project/fleetwarden-*/logstore/functions"}]}`
	memberPolicy = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"ecs:DescribeInstances","Resource":"*"}]}`
)

// record has the ledger say that what exists now was deployed.
func (w *world) record() {
	r := w.reads()
	for _, region := range []fleet.Region{home, other} {
		want := deployment.Record{V: deployment.Version, At: noon.Add(time.Duration(len(w.objects)-300) * time.Hour), Account: account, Region: region, Home: home, Policy: "digest", Build: "v1"}
		for key := range w.functions {
			if place, name, _ := strings.Cut(key, "/"); place == string(region) || place == string(home) {
				want.Functions = append(want.Functions, deployment.Function{Name: name, Region: fleet.Region(place)})
				want.Roles = append(want.Roles, deployment.Role{Name: name})
			}
		}
		want.Rules = []deployment.Rule{{Bus: "default", Name: "fleetwarden-instance-running-to-attach-role", Region: region}}
		have, err := r.Deployed.Read(context.Background(), want)
		if err != nil {
			panic(err)
		}
		text, err := json.Marshal(have)
		if err != nil {
			panic(err)
		}
		w.objects[deployment.Object(have, text)] = string(text)
	}
}

// canary is a secret that no line has.
const canary = "CANARY"

// notifies deploys the function notify with an environment.
func (w *world) notifies(environment map[string]string) {
	const name = "fleetwarden-notify"
	f := *w.functions[at(home, "fleetwarden-sweep")]
	f.Name, f.Environment = name, environment
	f.ARN, f.Role = strings.ReplaceAll(f.ARN, "fleetwarden-sweep", name), strings.ReplaceAll(f.Role, "fleetwarden-sweep", name)
	w.functions[at(home, name)], w.reserved[at(home, name)] = &f, 1
	w.roles[name] = fleet.Role{Name: name, Trust: deployment.Trust(), Policies: []fleet.Policy{{Name: name, Document: ownPolicy}}}
	w.record()
}

// hooked has the channel's URL in the environment.
func hooked(r *doctor.Reads) { r.Policy.Channels[1].Secret = "env:HOOK" }

func (w *world) reads() doctor.Reads {
	return doctor.Reads{
		Home: home, Account: func(ctx context.Context) (fleet.AccountID, error) { return w.account, w.caller },
		Policy: doctor.Policy{Digest: "digest", File: true, Regions: []fleet.Region{home, other}, Accounts: []doctor.Account{{ID: account}, {ID: member, Role: "FleetwardenMember"}},
			Channels: []policy.Channel{{Name: "mail", Type: policy.ChannelMail}, {Name: "ops", Type: policy.ChannelDingTalk, Secret: "fleetwarden-robots/ops"}}},
		Files: doctor.Files{Roles: published(), Member: memberPolicy, Samples: map[string]string{"run": "{}"}, Delivered: map[string][]string{"launches": {"run"}, "instance-running": {"run"}},
			Commands: []string{"fleetwarden-agent-linux"}},
		Deployed: deployment.Cloud{
			Functions: func(r fleet.Region) deployment.Functions { return region{w, r} },
			Rules:     func(r fleet.Region) deployment.Rules { return region{w, r} }, Roles: w, Trails: logging{w},
		},
		Services: w, Links: w, Trails: w, KMS: w, Secrets: w, Agents: w, Commands: w, Accounts: w.members(), Ledger: ledger{w}, Logs: w,
		Depths: func(r fleet.Region) doctor.Depths { return region{w, r} },
		Rules:  func(r fleet.Region) doctor.Patterns { return region{w, r} }, Queues: func(r fleet.Region) doctor.Queues { return region{w, r} },
		Now: func() time.Time { return noon }, Clock: func() time.Time { return noon.Add(20 * time.Second) }, Inside: true,
	}
}

// published are the documents of deploy/ram.
func published() map[string]string {
	out := map[string]string{}
	for _, f := range fleet.Functions() {
		out[f.Name] = ownPolicy
	}
	return out
}

type region struct {
	*world
	at fleet.Region
}

func (r region) Names(ctx context.Context, prefix string) (names []string, err error) {
	for key := range r.functions {
		if place, name, _ := strings.Cut(key, "/"); place == string(r.at) && strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	return names, r.call(ctx, "fc:ListFunctions")
}

func (r region) Get(ctx context.Context, name string) (*fc.Function, error) {
	f := r.functions[at(r.at, name)]
	if err := r.call(ctx, "fc:GetFunction"); err != nil || f == nil {
		return nil, errors.Join(err, map[bool]error{true: missing("fc:GetFunction")}[f == nil && err == nil])
	}
	return f, nil
}

func (r region) Tags(ctx context.Context, _ string) (map[string]string, error) {
	return map[string]string{deployment.Tag: "main"}, r.call(ctx, "fc:ListTagResources")
}

func (r region) Async(ctx context.Context, _ string) (*fc.Async, error) {
	return nil, r.call(ctx, "fc:GetAsyncInvokeConfig")
}

func (r region) Reserved(ctx context.Context, name string) (*int, error) {
	n := r.reserved[at(r.at, name)]
	return &n, r.call(ctx, "fc:GetConcurrencyConfig")
}

func (r region) Triggers(ctx context.Context, name string) ([]fc.Trigger, error) {
	return r.triggers[at(r.at, name)], r.call(ctx, "fc:ListTriggers")
}

func (r region) Rule(ctx context.Context, _, name string) (*eventbridge.Rule, error) {
	if err := r.call(ctx, "eventbridge:GetRule"); err != nil {
		return nil, err
	}
	if rule := r.rules[at(r.at, name)]; rule != nil {
		return rule, nil
	}
	return nil, missing("eventbridge:GetRule")
}

func (r region) Matches(ctx context.Context, _, _ string) (bool, error) {
	return r.matches, r.call(ctx, "eventbridge:TestEventPattern")
}

func (r region) Queue(ctx context.Context, name string) (doctor.Queue, error) {
	if err := r.call(ctx, "mns-open:GetQueueAttributes"); err != nil {
		return doctor.Queue{}, err
	}
	if q, ok := r.queues[at(r.at, name)]; ok {
		return q, nil
	}
	return doctor.Queue{}, missing("mns-open:GetQueueAttributes")
}

func (r region) Peek(ctx context.Context, name string, n int) ([]doctor.Letter, error) {
	var found []doctor.Letter
	switch {
	case name == "fleetwarden-dead-letters":
		found = r.letters
	case name == "fleetwarden-attach-role" && r.at == home:
		found = r.inbox
	}
	return found[:min(n, len(found))], r.call(ctx, "mns:BatchPeekMessage")
}

func (r region) Depths(ctx context.Context, queues []string) (map[string]doctor.Depth, error) {
	return r.depth, r.call(ctx, "cms:DescribeMetricLast")
}

func (w *world) Role(ctx context.Context, name string) (fleet.Role, error) {
	if err := w.call(ctx, "ram:GetRole"); err != nil {
		return fleet.Role{}, err
	}
	if r, ok := w.roles[name]; ok {
		return r, nil
	}
	return fleet.Role{Name: name, Missing: true}, nil
}

func (w *world) Bare(ctx context.Context, name string) (fleet.Role, error) {
	return fleet.Role{Name: name, Missing: name == w.links}, w.call(ctx, "ram:GetRole")
}

func (w *world) Active(ctx context.Context, service string, _ fleet.Region) error {
	return w.call(ctx, service+":List")
}
func (w *world) Absent(product string, r fleet.Region) bool { return at(r, product) == w.absent }
func (w *world) Regions(ctx context.Context, _ fleet.Region) ([]fleet.Region, error) {
	return []fleet.Region{home, other}, w.call(ctx, "ecs:DescribeRegions")
}

func (w *world) Trails(ctx context.Context, _, _ fleet.Region) ([]doctor.Trail, error) {
	return w.trails, w.call(ctx, "actiontrail:DescribeTrails")
}

type logging struct{ *world }

func (logging) Logging(context.Context, fleet.Region, fleet.Region) ([]string, error) {
	return []string{"t"}, nil
}

func (w *world) AccountStatus(ctx context.Context, _ fleet.Region) (string, error) {
	return w.kms, w.call(ctx, "kms:DescribeAccountKmsStatus")
}

func (w *world) HasSecret(ctx context.Context, r fleet.Region, name string) (bool, error) {
	return w.secrets[at(r, name)], w.call(ctx, "kms:DescribeSecret")
}

func (w *world) LastPass(ctx context.Context, r fleet.Region, function string, _ time.Time) (doctor.Passed, error) {
	if at(r, function) == w.idle {
		return doctor.Passed{At: w.passed}, w.call(ctx, "sls:GetLogs")
	}
	return doctor.Passed{At: noon.Add(-time.Minute), Event: w.event}, w.call(ctx, "sls:GetLogs")
}

func (w *world) Edition(ctx context.Context, _ fleet.Region) (int, error) {
	return 3, w.call(ctx, "sas:DescribeVersionConfig")
}

func (w *world) Command(ctx context.Context, _ fleet.Region, name string) (string, error) {
	return w.commands[name], w.call(ctx, "ecs:DescribeCommands")
}

type membersOf struct{ w *world }

func (w *world) members() membersOf { return membersOf{w} }

func (m membersOf) Listed(ctx context.Context) ([]fleet.AccountID, error) {
	return []fleet.AccountID{member}, m.w.call(ctx, "resourcemanager:ListAccounts")
}

func (m membersOf) Enter(ctx context.Context, _ fleet.AccountID) error {
	return errors.Join(m.w.entered, m.w.call(ctx, "sts:AssumeRole"))
}

func (m membersOf) Role(ctx context.Context, _ fleet.AccountID) (fleet.Role, error) {
	return m.w.Role(ctx, "FleetwardenMember")
}

type ledger struct{ *world }

func (l ledger) Get(ctx context.Context, name string) ([]byte, error) {
	return []byte(l.objects[name]), l.call(ctx, "oss:GetObject")
}

// List has pages of one name: all of them have to be read.
func (l ledger) List(ctx context.Context, prefix, after string) (names []string, more bool, err error) {
	for name := range l.objects {
		if strings.HasPrefix(name, prefix) && name > after {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names[:min(1, len(names))], len(names) > 1, l.call(ctx, "oss:ListObjects")
}

func (l ledger) Versioning(ctx context.Context) (string, error) {
	return l.versions, l.call(ctx, "oss:GetBucketVersioning")
}
func (l ledger) OfFunctions(ctx context.Context) (string, error) {
	return cmp.Or(l.theirs, "oss://b/ledger/"), l.call(ctx, "fc:GetFunction")
}
func (ledger) Address(object string) string { return "oss://b/ledger/" + object }

// result is what a check came to.
func result(t *testing.T, p doctor.Page, id string) doctor.Result {
	t.Helper()
	for _, r := range p.Results() {
		if r.ID == id {
			return r
		}
	}
	t.Fatalf("there is no check %s", id)
	return doctor.Result{}
}

func TestAWholeDeploymentIsWell(t *testing.T) {
	w := newWorld()
	p := doctor.Examine(t.Context(), w.reads())
	for _, r := range p.Results() {
		if r.Result != doctor.OK || len(r.Problems) > 0 || r.Says == "" || r.Hint != "" {
			t.Errorf("%+v", r)
		}
	}
	if !p.Success || len(p.Results()) != len(doctor.Checks()) || len(p.Findings()) != 0 || p.Build != "v1" || p.Account != account {
		t.Errorf("%+v", p)
	}
	if w.most > 12 {
		t.Errorf("%d calls at the same time", w.most)
	}
}

// Each break is named by the check that is about it, with its remedy, and by no check above it.
func TestEachBreakIsNamedWithItsRemedy(t *testing.T) {
	const attach = "fleetwarden-attach-role"
	for name, c := range map[string]struct {
		breaks           func(*world)
		check            string
		verdict          doctor.Verdict
		says, mend       string
		also             []string // checks below it that say so, too
		change           func(*doctor.Reads)
		numberOfProblems int
	}{
		"a rule is disabled": {breaks: func(w *world) { w.rules[at(home, "fleetwarden-instance-running-to-attach-role")].Status = "DISABLE" },
			check: "event-rules", verdict: doctor.Fail, says: "has status DISABLE", mend: "aliyun eventbridge EnableRule --EventBusName default --RuleName fleetwarden-instance-running-to-attach-role --region cn-hangzhou"},
		"a rule is gone": {breaks: func(w *world) { delete(w.rules, at(other, "fleetwarden-instance-running-to-attach-role")) },
			check: "event-rules", verdict: doctor.Fail, says: "does not exist", mend: "make deploy REGION=cn-shanghai HOME_REGION=cn-hangzhou"},
		"a pattern is edited": {breaks: func(w *world) {
			w.rules[at(home, "fleetwarden-instance-running-to-attach-role")].Pattern = `{"source":["x"]}`
		},
			check: "event-rules", verdict: doctor.Fail, says: "has the pattern", mend: "make deploy"},
		"a pattern delivers nothing": {breaks: func(w *world) { w.matches = false },
			check: "event-patterns", verdict: doctor.Fail, says: "does not deliver the sample run", mend: "make deploy", numberOfProblems: 2},
		"the trail is stopped": {breaks: func(w *world) { w.trails[0].Logging = false },
			check: "trail", verdict: doctor.Fail, says: "fleetwarden-trail does not log", mend: "aliyun actiontrail StartLogging --Name fleetwarden-trail --region cn-hangzhou", numberOfProblems: 2},
		"there is no trail": {breaks: func(w *world) { w.trails = nil },
			check: "trail", verdict: doctor.Fail, says: "no trail covers", mend: "make deploy REGION=cn-hangzhou", numberOfProblems: 2},
		"the trail cannot deliver": {breaks: func(w *world) { w.trails[0].Faults = []string{"write sls failed"} },
			check: "trail", verdict: doctor.Warn, says: "write sls failed", mend: "destination", numberOfProblems: 2},
		"a queue is gone": {breaks: func(w *world) { delete(w.queues, at(other, attach)) },
			check: "queues-exist", verdict: doctor.Fail, says: "queue fleetwarden-attach-role does not exist in cn-shanghai", mend: "make deploy REGION=cn-shanghai"},
		"a queue has no dead letters": {breaks: func(w *world) { w.queues[at(home, attach)] = doctor.Queue{} },
			check: "queues-exist", verdict: doctor.Fail, says: "dead letters in \"\"", mend: "make deploy"},
		"a role's policy is detached": {breaks: func(w *world) { w.roles[attach] = fleet.Role{Name: attach, Trust: deployment.Trust()} },
			check: "role-policies", verdict: doctor.Fail, says: "has no policy", mend: "aliyun ram AttachPolicyToRole --PolicyType Custom --PolicyName fleetwarden-attach-role --RoleName fleetwarden-attach-role", also: []string{"platform-rights"}},
		"a role may more": {breaks: func(w *world) {
			r := w.roles[attach]
			r.Policies = append(slices.Clone(r.Policies), fleet.Policy{Document: `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`})
			w.roles[attach] = r
		}, check: "role-policies", verdict: doctor.Fail, says: "beyond deploy/ram", mend: "make deploy"},
		"a role is gone": {breaks: func(w *world) { delete(w.roles, attach) },
			check: "role-policies", verdict: doctor.Fail, says: "does not exist", mend: "make deploy"},
		"a role may write no log": {breaks: func(w *world) {
			r := w.roles[attach]
			r.Policies = append(slices.Clone(r.Policies), fleet.Policy{Document: `{"Version":"1","Statement":[{"Effect":"Deny","Action":"log:*","Resource":"*"}]}`})
			w.roles[attach] = r
			w.record()
		}, check: "platform-rights", verdict: doctor.Fail, says: "may not log:PostLogStoreLogs", mend: "make deploy"},
		"foreign code": {breaks: func(w *world) { w.functions[at(other, attach)].CodeChecksum = "8" },
			check: "function-code", verdict: doctor.Fail, says: "runs code with checksum 8, not 7", mend: "make deploy REGION=cn-shanghai"},
		"a setting differs": {breaks: func(w *world) { w.functions[at(home, attach)].Environment = map[string]string{"X": canary} },
			check: "function-settings", verdict: doctor.Fail, says: "env.X", mend: "make deploy"},
		"a function is gone": {breaks: func(w *world) { delete(w.functions, at(other, attach)) },
			check: "functions-exist", verdict: doctor.Fail, says: "does not exist", mend: "make deploy REGION=cn-shanghai"},
		"a function is gone, and the policy is in a file of one's own": {breaks: func(w *world) { delete(w.functions, at(other, attach)) },
			change: func(r *doctor.Reads) { r.Policy.Path = "my.yaml" },
			check:  "functions-exist", verdict: doctor.Fail, says: "does not exist", mend: "POLICY=my.yaml make deploy REGION=cn-shanghai HOME_REGION=cn-hangzhou"},
		"a function is stopped": {breaks: func(w *world) {
			f := w.functions[at(home, attach)]
			f.Restriction.Disable, f.Restriction.Reason = true, "incident 7"
		}, check: "functions-enabled", verdict: doctor.Fail, says: `"incident 7"`, mend: "/invoke/enable --region cn-hangzhou"},
		"a function may have no instance": {breaks: func(w *world) { w.reserved[at(home, attach)] = 0 },
			check: "functions-enabled", verdict: doctor.Fail, says: "reserved concurrency is 0", mend: `{"reservedConcurrency":1}`},
		"a function failed to start": {breaks: func(w *world) { w.functions[at(home, attach)].State = "Failed" },
			check: "functions-enabled", verdict: doctor.Fail, says: "its state is Failed", mend: "make deploy"},
		"a trigger is edited": {breaks: func(w *world) { w.triggers[at(home, attach)][0].Config = `{"triggerEnable":false}` },
			check: "triggers", verdict: doctor.Fail, says: "trigger launches has another configuration", mend: "make deploy"},
		"too many instances are reserved": {breaks: func(w *world) { w.functions[at(home, "theirs")] = &fc.Function{}; w.reserved[at(home, "theirs")] = 90 },
			check: "instances-left", verdict: doctor.Warn, says: "are left for all others", mend: "quota"},
		"the policy differs": {change: func(r *doctor.Reads) { r.Policy.Digest = "another" },
			check: "policy", verdict: doctor.Warn, says: "digest digest, and the policy file at hand has another", mend: "make deploy", numberOfProblems: 2},
		"a timer wakes nothing": {breaks: func(w *world) { w.idle, w.passed = at(other, "fleetwarden-watch-shares"), noon.Add(-2*time.Hour) },
			check: "last-pass", verdict: doctor.Fail, says: "function fleetwarden-watch-shares in cn-shanghai has not passed since 2026-11-24 10:00:00", mend: "hasFunctionError"},
		"a timer never woke anything": {breaks: func(w *world) { w.idle = at(home, "fleetwarden-doctor") },
			check: "last-pass", verdict: doctor.Fail, says: "has not passed within the last 8 days", mend: "hasFunctionError"},
		"the log cannot be searched": {breaks: func(w *world) { w.err["sls:GetLogs"] = failure{class: fleet.Denied, api: "sls:GetLogs"} },
			check: "last-pass", verdict: doctor.Warn, says: "could not be read", mend: "allow log:GetLogStoreLogs to the caller", numberOfProblems: len(newWorld().functions)},
		"KMS is off": {breaks: func(w *world) { w.kms = "NotEnabled" },
			check: "kms", verdict: doctor.Fail, says: "KMS is NotEnabled in cn-hangzhou", mend: "aliyun kms OpenKmsService --region cn-hangzhou", numberOfProblems: 2},
		"KMS is off, and nothing needs it": {breaks: func(w *world) { w.kms = "NotEnabled" },
			change: func(r *doctor.Reads) { r.Policy.Off = []string{"share-role", "trusted-instance"} },
			check:  "kms", verdict: doctor.Warn, says: "KMS is NotEnabled in cn-hangzhou", mend: "aliyun kms OpenKmsService --region cn-hangzhou", numberOfProblems: 2},
		"KMS is in debt": {breaks: func(w *world) { w.kms = "InDebt" },
			check: "kms", verdict: doctor.Fail, says: "KMS is InDebt", mend: "bill", numberOfProblems: 2},
		"a dead letter waits": {breaks: func(w *world) { w.letters = []doctor.Letter{{Enqueued: noon}} },
			check: "dead-letters", verdict: doctor.Fail, says: "1 dead letter waits in cn-hangzhou", mend: "fleetwarden redrive", numberOfProblems: 2},
		"dead letters wait, as many as can be seen": {breaks: func(w *world) { w.letters = make([]doctor.Letter, 412) },
			check: "dead-letters", verdict: doctor.Fail, says: "at least 16 dead letters wait", mend: "fleetwarden redrive", numberOfProblems: 2},
		"dead letters are counted, and 16 are seen": {breaks: func(w *world) {
			w.letters, w.depth = make([]doctor.Letter, 412), map[string]doctor.Depth{"fleetwarden-dead-letters": {Visible: 412, At: noon}}
		}, check: "dead-letters", verdict: doctor.Fail, says: "about 412 dead letters wait (16 of them were seen)", mend: "fleetwarden redrive", numberOfProblems: 2},
		"dead letters were counted, and none is seen": {breaks: func(w *world) { w.depth = map[string]doctor.Depth{"fleetwarden-dead-letters": {Visible: 3, At: noon}} },
			check: "dead-letters", verdict: doctor.Warn, says: "none is visible now", mend: "fleetwarden redrive", numberOfProblems: 2},
		"a message waits": {breaks: func(w *world) { w.inbox = []doctor.Letter{{Enqueued: noon}, {Enqueued: noon.Add(-2 * time.Hour)}} },
			check: "queues-drained", verdict: doctor.Warn, says: "a message waits in queue fleetwarden-attach-role in cn-hangzhou since 2026-11-24 10:00:00", mend: "triggers"},
		"an inbox is deep": {breaks: func(w *world) { w.depth = map[string]doctor.Depth{"fleetwarden-sweep": {Visible: 5000, At: noon}} },
			check: "queues-drained", verdict: doctor.Warn, says: "had 5000 messages waiting and 0 being delivered at 2026-11-24 12:00:00", mend: "reserved instances"},
		"dead letters are being read": {breaks: func(w *world) {
			w.depth = map[string]doctor.Depth{"fleetwarden-dead-letters": {Invisible: 412, At: noon}}
		},
			check: "dead-letters", verdict: doctor.Warn, says: "counted 412 dead letters", mend: "fleetwarden redrive", numberOfProblems: 2},
		"an inbox is delivered and not done": {breaks: func(w *world) { w.depth = map[string]doctor.Depth{"fleetwarden-sweep": {Invisible: 5000, At: noon}} },
			check: "queues-drained", verdict: doctor.Warn, says: "5000 being delivered", mend: "reserved instances"},
		"an inbox is full, and nothing counted it": {breaks: func(w *world) {
			for range 16 {
				w.inbox = append(w.inbox, doctor.Letter{Enqueued: noon.Add(-time.Minute)})
			}
		}, check: "queues-drained", verdict: doctor.Unread, says: "at least 16 messages wait", mend: "run it again"},
		"the member's role is gone": {breaks: func(w *world) { w.entered = missing("sts:AssumeRole") },
			check: "members", verdict: doctor.Fail, says: "account 1000000000000003 cannot be entered", mend: "terraform -chdir=deploy/terraform/member workspace select -or-create 1000000000000003"},
		"the member's role is gone, and keys of it are still good": {breaks: func(w *world) { delete(w.roles, "FleetwardenMember") },
			check: "members", verdict: doctor.Fail, says: "was removed, or lacks the rights", mend: "terraform -chdir=deploy/terraform/member workspace select -or-create 1000000000000003"},
		"the member's role lacks rights": {breaks: func(w *world) { w.roles["FleetwardenMember"] = fleet.Role{Trust: deployment.Trust()} },
			check: "members", verdict: doctor.Warn, says: "lacks", mend: "terraform -chdir=deploy/terraform/member workspace select -or-create 1000000000000003"},
		"the member does not trust the operator": {breaks: func(w *world) { w.entered = failure{class: fleet.Denied} }, change: func(r *doctor.Reads) { r.Inside = false },
			check: "members", verdict: doctor.Warn, says: "says nothing about the functions", mend: "sts:AssumeRole"},
		"the ledger has versioning": {breaks: func(w *world) { w.versions = "Suspended" },
			check: "ledger", verdict: doctor.Fail, says: "versioning (Suspended)", mend: "never had versioning"},
		"no sweep came": {breaks: func(w *world) { delete(w.objects, "starts/sweep-20261124T033000Z-abcdef.json") },
			check: "last-sweep", verdict: doctor.Fail, says: "no sweep began", mend: "functions/fleetwarden-sweep/invocations"},
		"the last sweep is old": {breaks: func(w *world) {
			delete(w.objects, "starts/sweep-20261124T033000Z-abcdef.json")
			w.objects["starts/sweep-20261122T033000Z-abcdef.json"] = ""
		}, check: "last-sweep", verdict: doctor.Fail, says: "57h0m0s ago", mend: "functions/fleetwarden-sweep/invocations"},
		"the last sweep has not ended": {breaks: func(w *world) { delete(w.objects, "reports/sweep-20261124T033000Z-abcdef/summary.json") },
			change: func(r *doctor.Reads) { r.Inside = false }, check: "last-sweep", verdict: doctor.Fail, says: "sweep sweep-20261124T033000Z-abcdef began 9h0m0s ago and has not ended", mend: "dead-letters"},
		"the sweep before the one that runs has not ended": {breaks: func(w *world) {
			delete(w.objects, "reports/sweep-20261124T033000Z-abcdef/summary.json")
			w.objects["starts/sweep-20261124T110000Z-abcdef.json"] = ""
		}, check: "last-sweep", verdict: doctor.Fail, says: "sweep sweep-20261124T033000Z-abcdef began 9h0m0s ago and has not ended", mend: "dead-letters"},
		"the functions have another ledger": {breaks: func(w *world) { w.theirs = "oss://other/ledger/" },
			check: "ledger", verdict: doctor.Fail, says: "have their ledger in oss://other/ledger/, and this is oss://b/ledger/", mend: "unset FLEETWARDEN_LEDGER"},
		"a region has no such product": {breaks: func(w *world) { w.absent = at(other, "kms") },
			check: "products-served", verdict: doctor.Warn, says: "KMS is not served in cn-shanghai", mend: "take cn-shanghai out of regions"},
		"a region was never deployed": {change: func(r *doctor.Reads) { r.Policy.Regions = append(r.Policy.Regions, "cn-beijing") },
			check: "regions-deployed", verdict: doctor.Fail, says: "cn-beijing is guarded by the policy, and was never deployed", mend: "make deploy REGION=cn-beijing"},
		"a command is gone": {breaks: func(w *world) { w.commands = nil },
			check: "commands", verdict: doctor.Fail, says: "fleetwarden-agent-linux does not exist", mend: "make deploy", numberOfProblems: 2},
		"a channel's secret is gone": {breaks: func(w *world) { w.secrets = nil },
			check: "notify", verdict: doctor.Fail, says: "channel ops: KMS has no secret fleetwarden-robots/ops in cn-hangzhou",
			mend: `read -rs SECRET && aliyun kms CreateSecret --SecretName fleetwarden-robots/ops --VersionId v1 --SecretData "$SECRET" --region cn-hangzhou`},
		"a channel's secret is where there is no KMS": {breaks: func(w *world) { w.absent = at(home, "kms") },
			check: "notify", verdict: doctor.Fail, says: "channel ops: KMS, which is to have the secret fleetwarden-robots/ops, is not served in cn-hangzhou", mend: "env:NAME", also: []string{"products-served"}},
		"a channel's URL is in a variable": {breaks: func(w *world) { w.notifies(map[string]string{"HOOK": canary}) }, change: hooked,
			check: "notify", verdict: doctor.Warn, says: "channel ops: its URL is in the environment variable HOOK, which whoever has fc:GetFunction reads",
			mend: `aliyun kms CreateSecret --SecretName fleetwarden-ops --VersionId v1 --SecretData "$SECRET" --region cn-hangzhou; then have the policy file name`},
		"a channel's variable is gone": {breaks: func(w *world) { w.notifies(map[string]string{"OTHER": canary}) }, change: hooked,
			check: "notify", verdict: doctor.Fail, says: "channel ops: function fleetwarden-notify in cn-hangzhou has no environment variable HOOK", mend: "HOOK: ${env('HOOK')}; then make deploy REGION=cn-hangzhou"},
		"a service-linked role is gone": {breaks: func(w *world) { w.links = "AliyunServiceRoleForSas" },
			check: "service-linked-roles", verdict: doctor.Fail, says: "InstallNotGranted", mend: "aliyun resourcemanager CreateServiceLinkedRole --ServiceName sas.aliyuncs.com"},
		"EventBridge was never activated": {breaks: func(w *world) {
			w.err["eventbridge:List"] = failure{fleet.Denied, "eventbridge:ListRules", "ServiceNotEnable"}
		},
			check: "services-active", verdict: doctor.Fail, says: "EventBridge is not activated", mend: "activate it at"},
		"the clock is wrong": {change: func(r *doctor.Reads) { r.Clock = func() time.Time { return noon.Add(-11 * time.Minute) } },
			check: "clock", verdict: doctor.Fail, says: "differs from the cloud's by -11m0s", mend: "timedatectl"},
		"the clock is a little wrong": {change: func(r *doctor.Reads) { r.Clock = func() time.Time { return noon.Add(2 * time.Minute) } },
			check: "clock", verdict: doctor.Warn, says: "2m0s", mend: "timedatectl"},
		"another account's keys": {breaks: func(w *world) { w.account = "1000000000000002" },
			check: "credentials", verdict: doctor.Fail, says: "are of account 1000000000000002, and the ledger is that of account 1000000000000001", mend: "use credentials of account 1000000000000001", numberOfProblems: 2},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			if c.breaks != nil {
				c.breaks(w)
			}
			r := w.reads()
			if c.change != nil {
				c.change(&r)
			}
			p := doctor.Examine(t.Context(), r)
			got := result(t, p, c.check)
			if got.Result != c.verdict || len(got.Problems) != max(c.numberOfProblems, 1) || got.Why == "" || got.Hint != "deploy/guide/doctor.md#"+c.check {
				t.Fatalf("%+v", got)
			}
			for _, x := range got.Problems {
				if !typable(x.Mend) {
					t.Errorf("no shell takes this as it stands: %s", x.Mend)
				}
			}
			if x := got.Problems[0]; !strings.Contains(x.Says, c.says) || !strings.Contains(x.Mend, c.mend) || strings.Contains(x.Says+x.Mend, canary) {
				t.Errorf("%q\n%q", x.Says, x.Mend)
			}
			for _, other := range p.Results() {
				if other.ID != c.check && other.Result != doctor.OK && !slices.Contains(c.also, other.ID) && c.check != "credentials" {
					t.Errorf("beside it: %+v", other)
				}
			}
			if p.Success != (c.verdict == doctor.Warn) {
				t.Errorf("success: %t", p.Success)
			}
			if f := p.Findings(); len(f) < 1 || f[0].Control != doctor.Control || f[0].Ref.Kind != fleet.KindDeployment || f[0].Ref.Scope.Account != w.account || f[0].Remedy == "" {
				t.Errorf("%+v", f)
			}
		})
	}
}

func TestWithoutChannelsNoSecretIsLookedFor(t *testing.T) {
	w := newWorld()
	w.err["kms:DescribeSecret"] = errors.New("asked")
	r := w.reads()
	r.Policy.Channels = nil
	if got := result(t, doctor.Examine(t.Context(), r), "notify"); got.Result != doctor.OK || got.Says != "no channels" {
		t.Errorf("%+v", got)
	}
}

// typable reports whether a mend that begins with a command is one for a shell up to the comment.
func typable(mend string) bool {
	command, _, _ := strings.Cut(mend, " # ")
	if !regexp.MustCompile(`^([A-Z]+=\S+ )*(make|aliyun|terraform|fleetwarden|unset) `).MatchString(command) {
		return true
	}
	command = regexp.MustCompile(`'[^']*'`).ReplaceAllString(command, "")
	return !strings.ContainsAny(strings.ReplaceAll(command, " && ", " "), ",;()<>&|'\"") && !strings.Contains(command, " or ")
}

// Nothing that could not be read is ok, and each line names the action that is missing.
func TestWithoutAnyRightEachCheckIsUnreadAndNamesAnAction(t *testing.T) {
	w := newWorld()
	w.all = failure{class: fleet.Denied, code: "NoPermission"}
	p := doctor.Examine(t.Context(), w.reads())
	for _, r := range p.Results() {
		switch r.ID {
		case "settings", "credentials", "clock": // these ask no right
			continue
		case "members": // the function may not assume the role
			if r.Result != doctor.Fail {
				t.Errorf("%+v", r)
			}
			continue
		}
		if r.Result != doctor.Unread {
			t.Errorf("%s is %s", r.ID, r.Result)
		}
		for _, x := range r.Problems {
			if x.Result == doctor.Unread && !strings.HasPrefix(x.Mend, "allow ") && !strings.HasPrefix(x.Mend, "see ") {
				t.Errorf("%s: %q", r.ID, x.Mend)
			}
		}
	}
	if p.Success {
		t.Error("success")
	}
}

// Each call's failure leaves the other checks as they are.
func TestACallThatFailsMakesItsChecksUnread(t *testing.T) {
	for api, checks := range map[string][]string{
		"fc:ListFunctions": {"instances-left"}, "fc:GetFunction": {"ledger", "functions-exist", "functions-enabled", "function-code", "function-settings", "triggers", "event-patterns"},
		"eventbridge:GetRule": {"event-rules", "event-patterns"}, "eventbridge:TestEventPattern": {"event-patterns"},
		"actiontrail:DescribeTrails": {"trail"}, "kms:DescribeAccountKmsStatus": {"kms"}, "kms:DescribeSecret": {"notify"}, "sas:DescribeVersionConfig": {"security-center"},
		"mns-open:GetQueueAttributes": {"queues-exist"}, "mns:BatchPeekMessage": {"dead-letters", "queues-drained"}, "cms:DescribeMetricLast": {"dead-letters", "queues-drained"}, "ecs:DescribeCommands": {"commands"},
		"oss:GetBucketVersioning": {"ledger"}, "mns:List": {"services-active"}, "sts:AssumeRole": {"members"},
		"ram:GetRole": {"service-linked-roles", "role-policies", "platform-rights", "members"},
		"oss:GetObject": {"deployment-recorded", "policy", "regions-deployed", "functions-exist", "functions-enabled", "function-code", "function-settings", "instances-left", "last-pass",
			"role-policies", "platform-rights", "triggers", "event-rules", "event-patterns", "queues-exist", "queues-drained", "dead-letters", "commands", "trail", "kms", "products-served"},
	} {
		t.Run(api, func(t *testing.T) {
			w := newWorld()
			w.err[api] = failure{class: fleet.Unavailable, api: api}
			p := doctor.Examine(t.Context(), w.reads())
			for _, r := range p.Results() {
				if want := slices.Contains(checks, r.ID); want != (r.Result == doctor.Unread) {
					t.Errorf("%s is %s: %+v", r.ID, r.Result, r.Problems)
				}
			}
		})
	}
}

// Without an account nothing else is asked, whichever category was chosen.
func TestWithoutCredentialsNetworkOrTimeTheFirstCheckSaysSo(t *testing.T) {
	for says, err := range map[string]error{
		"sts GetCallerIdentity": failure{class: fleet.Denied, api: "sts:GetCallerIdentity", code: "InvalidAccessKeyId.NotFound"},
		"check the network":     failure{class: fleet.Unavailable, api: "sts:GetCallerIdentity"},
		"timedatectl":           failure{class: fleet.Invalid, api: "sts:GetCallerIdentity", code: "InvalidTimeStamp.Expired"},
	} {
		w := newWorld()
		w.caller = err
		p := doctor.Examine(t.Context(), w.reads())
		if c := result(t, p, "credentials"); c.Result != doctor.Fail || !strings.Contains(c.Problems[0].Mend, says) {
			t.Errorf("%s: %+v", says, c)
		}
		if w.most > 0 || p.Success || p.Count(doctor.Unread) != len(doctor.Checks())-2 || result(t, p, "settings").Result != doctor.OK {
			t.Errorf("%s: asked %d, %+v", says, w.most, p)
		}
		p = doctor.Examine(t.Context(), doctor.Reads{Account: func(context.Context) (fleet.AccountID, error) { return "", err }}, "queues")
		if r := p.Results(); r[0].Result != doctor.Fail || r[0].ID != "credentials" || len(r) != 4 {
			t.Errorf("%s: %+v", says, r)
		}
	}
}

// A policy file or variable that cannot be read is no problem of the credentials, and all that can
// be known without the policy file still is.
func TestSettingsThatCannotBeReadHaveTheirOwnPlace(t *testing.T) {
	_, broken := policy.Load("p.yaml", []byte("x: ["))
	for _, err := range []error{broken, errors.New("reading FLEETWARDEN_LEDGER: no\n  at all")} {
		p := doctor.Examine(t.Context(), doctor.Reads{Settings: err}, "queues")
		if r := p.Results(); p.Success || len(r) != 4 || r[0].ID != "settings" || r[0].Result != doctor.Fail || strings.Contains(r[0].Says, "\n") || r[1].Result != doctor.Unread || r[1].Problems[0].Mend != "see settings" {
			t.Errorf("%+v", r)
		}
		r := newWorld().reads()
		r.Settings = err
		p = doctor.Examine(t.Context(), r)
		for _, c := range p.Results() {
			if want := c.ID == "settings"; want != (c.Result == doctor.Fail) || !want && c.Result != doctor.OK {
				t.Errorf("%+v", c)
			}
		}
		if says := result(t, p, "settings").Says; !strings.Contains(says, "as without a policy file, and cn-hangzhou is taken for the home region") {
			t.Error(says)
		}
	}
}

// A queue without a number is said to have none, also where a peek shows few messages.
func TestAQueueThatIsNotCountedIsSaid(t *testing.T) {
	w := newWorld()
	p := doctor.Examine(t.Context(), w.reads(), "queues")
	for id, n := range map[string]int{"queues-drained": len(w.queues) - 2, "dead-letters": 2} {
		if r := result(t, p, id); r.Result != doctor.OK || !strings.Contains(r.Says, fmt.Sprintf("CloudMonitor has no number for %d of %d queues", n, n)) {
			t.Errorf("%+v", r)
		}
	}
	w.depth = map[string]doctor.Depth{}
	for key := range w.queues {
		_, name, _ := strings.Cut(key, "/")
		w.depth[name] = doctor.Depth{At: noon}
	}
	for _, r := range doctor.Examine(t.Context(), w.reads(), "queues").Results() {
		if r.Result != doctor.OK || strings.Contains(r.Says, "no number") {
			t.Errorf("%+v", r)
		}
	}
}

// A deployment of another region is no reason why a function has not passed.
func TestAFunctionIsOverdueByTheDeploymentOfItsOwnRegion(t *testing.T) {
	w := newWorld()
	w.idle, w.passed = at(home, "fleetwarden-watch-shares"), noon.Add(-2*time.Hour)
	w.edit(other, func(r *deployment.Record) { r.At = noon.Add(-time.Minute) })
	if r := result(t, doctor.Examine(t.Context(), w.reads()), "last-pass"); r.Result != doctor.Fail || !strings.Contains(r.Says, "fleetwarden-watch-shares in cn-hangzhou has not passed since") {
		t.Errorf("%+v", r)
	}
}

// Also where a function has not passed: the others show since when nothing comes.
func TestTheLastPassAndTheLastEventOfEachFunctionAreShown(t *testing.T) {
	const want = "attach-role in cn-shanghai 2026-11-24 11:59:00 (last event of 2026-11-24 11:00:00)"
	w := newWorld()
	w.event = noon.Add(-time.Hour)
	if says := result(t, doctor.Examine(t.Context(), w.reads()), "last-pass").Says; !strings.Contains(says, want) {
		t.Error(says)
	}
	w.idle = at(home, "fleetwarden-doctor")
	if r := result(t, doctor.Examine(t.Context(), w.reads()), "last-pass"); r.Result != doctor.Fail || !strings.Contains(r.Seen, want) || strings.Contains(r.Seen, "doctor in") {
		t.Errorf("%+v", r)
	}
}

// A ledger that is half gone is reported, and what can be known without it still is.
func TestALedgerThatIsHalfGone(t *testing.T) {
	for name, c := range map[string]struct {
		breaks  func(*world)
		check   string
		verdict doctor.Verdict
		says    string
	}{
		"a record is missing": {func(w *world) {
			for object := range w.objects {
				if strings.Contains(object, "-cn-shanghai-") {
					delete(w.objects, object)
				}
			}
		}, "regions-deployed", doctor.Fail, "was never deployed"},
		"all records are missing": {func(w *world) { clear(w.objects) }, "deployment-recorded", doctor.Warn, "no record of a deployment of cn-hangzhou"},
		"a record is broken": {func(w *world) {
			for object := range w.objects {
				w.objects[object] = `{"v":`
			}
		}, "deployment-recorded", doctor.Unread, "it is no record of a deployment"},
		"a record is newer": {func(w *world) {
			for object, text := range w.objects {
				w.objects[object] = strings.Replace(text, `"v":1`, `"v":2`, 1)
			}
		}, "deployment-recorded", doctor.Unread, "use the newest program"},
		"foreign objects": {func(w *world) { w.objects["deployments/readme.txt"] = "hello"; w.objects["deployments/"] = "" }, "deployment-recorded", doctor.OK, "build v1"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			c.breaks(w)
			p := doctor.Examine(t.Context(), w.reads())
			if got := result(t, p, c.check); got.Result != c.verdict || !strings.Contains(got.Says, c.says) {
				t.Errorf("%+v", got)
			}
			exist := doctor.OK
			if c.verdict == doctor.Unread { // where else there is a deployment, is not known
				exist = doctor.Unread
			}
			if got := result(t, p, "functions-exist"); got.Result != exist {
				t.Errorf("%+v", got)
			}
		})
	}
	r := newWorld().reads()
	r.Ledger = nil
	if got := result(t, doctor.Examine(t.Context(), r), "ledger"); got.Result != doctor.Fail || !strings.Contains(got.Problems[0].Mend, "FLEETWARDEN_LEDGER=oss://fleetwarden-1000000000000001/ledger?region=cn-hangzhou") {
		t.Errorf("%+v", got)
	}
}

// An answer that did not come in time leaves its check unread.
func TestWhatIsNotReadInTimeIsUnread(t *testing.T) {
	w := newWorld()
	ctx, stop := context.WithCancel(t.Context())
	w.late = stop
	p := doctor.Examine(ctx, w.reads())
	if got := result(t, p, "kms"); got.Result != doctor.Unread || !strings.Contains(got.Says, "was not read in time") {
		t.Errorf("%+v", got)
	}
}

func TestCategoriesAreChosen(t *testing.T) {
	p := doctor.Examine(t.Context(), newWorld().reads(), "queues", "account")
	if len(p.Categories) != 2 || p.Categories[0].Name != "account" || p.Categories[1].Name != "queues" {
		t.Errorf("%+v", p)
	}
}

// Programs read these names.
func TestThePagesJSONIsStable(t *testing.T) {
	w := newWorld()
	w.trails[0].Logging = false
	p := doctor.Examine(t.Context(), w.reads(), "services")
	p.DurationMS, p.Categories[0].Checks = 5, p.Categories[0].Checks[len(p.Categories[0].Checks)-1:]
	p.Categories[0].Checks[0].Problems = p.Categories[0].Checks[0].Problems[:1]
	got, err := json.Marshal(p)
	const want = `{"type":"doctor","success":false,"account":"1000000000000001","home":"cn-hangzhou","build":"v1","at":"2026-11-24T12:00:00Z","categories":[{"category":"services","checks":[` +
		`{"id":"trail","description":"a trail logs the write calls of each region","result":"fail","says":"trail fleetwarden-trail does not log the write calls of cn-hangzhou; and 1 more",` +
		`"why":"ActionTrail's events reach EventBridge only while a trail logs: launches and shares stay unseen until the nightly sweep.","hint":"deploy/guide/doctor.md#trail","problems":[` +
		`{"result":"fail","region":"cn-hangzhou","id":"fleetwarden-trail","says":"trail fleetwarden-trail does not log the write calls of cn-hangzhou","mend":"aliyun actiontrail StartLogging --Name fleetwarden-trail --region cn-hangzhou"}]}]}],"durationMs":5}`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v", got, err)
	}
}

// FuzzARecordOfTheLedger: whatever a record holds, the examination ends, and what it says is
// no worse than unread for want of a record.
func FuzzARecordOfTheLedger(f *testing.F) {
	f.Add(`{"v":1,"region":"cn-hangzhou","home":"cn-hangzhou","functions":[{"name":"x","region":"../"}],"roles":[{"statements":["{"]}],"rules":[{}]}`)
	f.Add(`{"v":1,"region":"cn-hangzhou","home":"cn-hangzhou","functions":[{"settings":null}]}`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, text string) {
		w := newWorld()
		for object := range w.objects {
			w.objects[object] = text
		}
		if p := doctor.Examine(t.Context(), w.reads()); len(p.Results()) != len(doctor.Checks()) {
			t.Errorf("%+v", p)
		}
	})
}

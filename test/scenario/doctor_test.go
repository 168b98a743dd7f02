package scenario_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"fleetwarden/deploy/local/simcloud/cms"
	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stack"
	"fleetwarden/deploy/local/stage"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/aliyun/trail"
	"fleetwarden/shared/operate/doctor"
	"fleetwarden/shared/policy"
)

// clinic is a deployment in two regions, with its record in the ledger.
type clinic struct {
	*testing.T
	*stage.Stage
	session *aliyun.Session
	policy  *policy.Policy
}

const second = server.Another

func newClinic(t *testing.T, o stage.Options) *clinic {
	t.Helper()
	if o.Recorded = true; o.Regions == nil {
		o.Regions = []string{server.Home, second}
	}
	c := &clinic{T: t, Stage: play(t, o)}
	c.session = aliyuntest.Cloud(t, c.Server.URL(), aliyuntest.Admin()).NewSession(0)
	path := filepath.Join(root, "deploy", "local", "policy.yaml")
	text, err := os.ReadFile(path)
	c.ok(err)
	c.policy, err = policy.Load(path, text)
	c.ok(err)
	return c
}

func (c *clinic) ok(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

// deployed ends a deployment that a step stands for: the record is another one than the last.
func (c *clinic) deployed() {
	c.Helper()
	c.ok(c.Advance(c.Context(), time.Second))
	c.ok(c.Stack.Confirm(c.Context()))
}

// examine types the command, which ends with status.
func (c *clinic) examine(status int, args ...string) doctor.Page {
	c.Helper()
	out, _ := typed(c.T, c.Stage, status, append([]string{"doctor", "--json"}, args...)...)
	var p doctor.Page
	c.ok(json.Unmarshal([]byte(out), &p))
	return p
}

// wrong are the checks that are not ok, without those of the member, which from a terminal
// need not be entered.
func wrong(p doctor.Page) (out []doctor.Result) {
	for _, r := range p.Results() {
		if r.Result != doctor.OK && !(r.ID == "members" && r.Result == doctor.Warn) {
			out = append(out, r)
		}
	}
	return out
}

// call makes a call of Function Compute in the home region.
func (c *clinic) call(method, path string, body any) {
	c.Helper()
	_, err := aliyun.DoREST[struct{}](c.Context(), c.session, aliyun.REST{API: aliyun.API{Product: aliyun.FC, Action: method + path, Region: server.Home, Write: true}, Method: method, Path: path, Body: body})
	c.ok(err)
}

func (c *clinic) rpc(version, action string, params map[string]string) {
	c.Helper()
	_, err := c.Call(context.Background(), stage.Operator, version, action, params)
	c.ok(err)
}

// zipped is a package of Function Compute, in Base64.
func (c *clinic) zipped(main []byte) map[string]any {
	c.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range map[string][]byte{"main": main, "policy.json": c.policy.JSON()} {
		h := &zip.FileHeader{Name: name, Method: zip.Store}
		h.SetMode(0o755)
		w, err := z.CreateHeader(h)
		c.ok(err)
		_, err = w.Write(text)
		c.ok(err)
	}
	c.ok(z.Close())
	return map[string]any{"code": map[string]any{"zipFile": base64.StdEncoding.EncodeToString(b.Bytes())}}
}

// versions of the products that printed commands name.
var versions = map[string]string{"eventbridge": "2020-04-01", "actiontrail": "2020-07-06", "ram": "2015-05-01", "resourcemanager": "2020-03-31", "kms": "2016-01-20"}

var (
	flagsOf = regexp.MustCompile(`--(\w+) ('[^']*'|\S+)`)
	restOf  = regexp.MustCompile(`^aliyun fc (PUT|POST) (\S+)`)
	// withFile names the policy file at hand.
	withFile = regexp.MustCompile(`^POLICY=\S+ `)
)

// types carries out a printed command. The aliyun CLI, Terraform and Serverless Devs are no part
// of a test: the call that the CLI would make is made, and repair stands for what the other two
// would change, or for an edit of the policy file. A deployment ends as "make deploy" does.
func (c *clinic) types(mend string, repair func()) {
	c.Helper()
	command, _, _ := strings.Cut(mend, " # ")
	words := strings.Fields(command)
	flags := map[string]string{}
	for _, m := range flagsOf.FindAllStringSubmatch(command, -1) {
		flags[m[1]] = strings.Trim(m[2], "'")
	}
	switch rest := restOf.FindStringSubmatch(command); {
	case rest != nil:
		var body any
		c.ok(json.Unmarshal([]byte(flags["body"]), &body))
		c.call(rest[1], rest[2], body)
	case words[0] == "aliyun" && words[1] == "kms" && words[2] == "OpenKmsService":
		repair() // the local cloud has no such API
	case words[0] == "aliyun":
		delete(flags, "region")
		c.rpc(versions[words[1]], words[2], flags)
	case words[0] == "fleetwarden":
		typed(c.T, c.Stage, 0, "redrive", "--region", flags["region"])
		typed(c.T, c.Stage, 0, "redrive", "--region", flags["region"], "--apply")
		c.sampled()
	default:
		repair()
		if strings.Contains(mend, "make deploy") {
			c.deployed()
		}
	}
}

// sampled lets CloudMonitor learn how many messages the queues have now.
func (c *clinic) sampled() {
	c.Helper()
	c.ok(c.Advance(c.Context(), mns.Interval+cms.Lag))
}

// edits writes the local policy file with a part of it replaced.
func (c *clinic) edits(path, part, by string) {
	c.Helper()
	text, err := os.ReadFile(filepath.Join(root, "deploy", "local", "policy.yaml"))
	c.ok(err)
	if !bytes.Contains(text, []byte(part)) {
		c.Fatalf("the local policy has no %q", part)
	}
	c.ok(os.WriteFile(path, bytes.Replace(text, []byte(part), []byte(by), 1), 0o600))
}

// carries deploys a policy file with the functions, once none of them is at work.
func (c *clinic) carries(path string) {
	c.Helper()
	c.ok(c.Settle(c.Context()))
	c.ok(c.Stack.UsePolicy(path))
}

// memberRole makes the member's role as deploy/terraform/member does, with the member's keys.
func (c *clinic) memberRole() {
	c.Helper()
	dir := filepath.Join(root, "deploy", "ram", "member")
	trust, err := os.ReadFile(filepath.Join(dir, "trust.json"))
	c.ok(err)
	document, err := os.ReadFile(filepath.Join(dir, "policy.json"))
	c.ok(err)
	for _, x := range []struct {
		action string
		params map[string]string
	}{
		{"CreateRole", map[string]string{"RoleName": stack.Member, "AssumeRolePolicyDocument": strings.ReplaceAll(string(trust), "{home}", server.Sharer)}},
		{"CreatePolicy", map[string]string{"PolicyName": "fleetwarden-member", "PolicyDocument": string(document)}},
		{"AttachPolicyToRole", map[string]string{"RoleName": stack.Member, "PolicyName": "fleetwarden-member", "PolicyType": "Custom"}},
	} {
		_, err := c.Call(context.Background(), stage.Member, versions["ram"], x.action, x.params)
		c.ok(err)
	}
}

// The class: whatever keeps events from arriving, or functions from working, is named by the
// check that is about it, with its remedy, and is gone after that.
func TestDoctorNamesWhatIsBrokenAndWhatMendsIt(t *testing.T) {
	t.Parallel()
	c := newClinic(t, stage.Options{})
	well, calls := c.examine(0), 0
	if w := wrong(well); len(w) > 0 {
		t.Fatalf("before anything is broken: %+v", w)
	}
	for _, results := range well.Calls {
		for _, n := range results {
			calls += n
		}
	}
	if t.Logf("%d calls in %d ms", calls, well.DurationMS); calls > 250 || well.DurationMS > doctor.Limit.Milliseconds() {
		t.Errorf("%d calls in %d ms: %v", calls, well.DurationMS, well.Calls)
	}
	const (
		attach = "fleetwarden-attach-role"
		rule   = "fleetwarden-instance-running-to-attach-role"
	)
	at := "/2023-03-30/functions/" + attach
	binary, err := os.ReadFile(filepath.Join(os.Getenv("SCENARIO_BIN"), "attach-role", "main"))
	c.ok(err)
	dead := mns.Queue{Account: server.Sharer, Region: server.Home, Name: "fleetwarden-dead-letters"}
	gone := mns.Queue{Account: server.Sharer, Region: second, Name: "fleetwarden-push-agent"}
	own := filepath.Join(t.TempDir(), "policy.yaml")
	file := func() []string { // the policy file at hand, once there is one
		if _, err := os.Stat(own); err != nil {
			return nil
		}
		return []string{"--policy", own}
	}
	for _, x := range []struct {
		name, check, mend string
		breaks, repair    func()
		also              []string
	}{
		{"a rule is disabled", "event-rules", "aliyun eventbridge EnableRule",
			func() {
				c.rpc(versions["eventbridge"], "DisableRule", map[string]string{"EventBusName": "default", "RuleName": rule})
			}, nil, nil},
		{"the trail is stopped", "trail", "aliyun actiontrail StartLogging",
			func() {
				all, err := trail.New(c.session).Trails(t.Context(), server.Home, server.Home)
				c.ok(err)
				for _, x := range all {
					c.rpc(versions["actiontrail"], "StopLogging", map[string]string{"Name": x.Name})
				}
			}, nil, nil},
		{"a queue is gone", "queues-exist", "make deploy REGION=" + second,
			func() { c.ok(c.Server.MNS.Drop(gone)) },
			func() {
				_, err := c.Server.MNS.Create(gone, mns.Defaults())
				c.ok(err)
				c.ok(c.Server.MNS.SetDeadLetter(gone, &mns.DeadLetterPolicy{Target: dead.Name, MaxReceiveCount: 5}))
			}, nil},
		{"a role's policy is detached", "role-policies", "aliyun ram AttachPolicyToRole",
			func() {
				c.rpc(versions["ram"], "DetachPolicyFromRole", map[string]string{"RoleName": "fleetwarden-watch-shares", "PolicyName": "fleetwarden-watch-shares", "PolicyType": "Custom"})
				c.rpc(versions["ram"], "DetachPolicyFromRole", map[string]string{"RoleName": "fleetwarden-watch-shares", "PolicyName": "fleetwarden-watch-shares-members", "PolicyType": "Custom"})
			}, nil, []string{"platform-rights"}},
		{"foreign code", "function-code", "find out who changed it",
			func() { c.call(http.MethodPut, at, c.zipped([]byte("#!/bin/sh\n"))) },
			func() { c.call(http.MethodPut, at, c.zipped(binary)) }, nil},
		{"a function is stopped", "functions-enabled", "aliyun fc POST",
			func() { c.call(http.MethodPost, at+"/invoke/disable", map[string]any{"reason": "incident 7"}) }, nil, nil},
		{"a function is stopped in the older way", "functions-enabled", "aliyun fc PUT " + at + "/concurrency",
			func() { c.call(http.MethodPut, at+"/concurrency", map[string]any{"reservedConcurrency": 0}) }, nil, nil},
		{"a setting is changed", "function-settings", "make deploy REGION=" + server.Home,
			func() { c.call(http.MethodPut, at, map[string]any{"timeout": 3}) },
			func() { c.call(http.MethodPut, at, map[string]any{"timeout": 120}) }, nil},
		{"KMS is off", "kms", "aliyun kms OpenKmsService",
			func() { c.Server.KMS.SetStatus(server.Sharer, server.Home, "NotEnabled") },
			func() { c.Server.KMS.SetStatus(server.Sharer, server.Home, "Enabled") }, nil},
		{"a dead letter waits", "dead-letters", "fleetwarden redrive",
			func() {
				_, err := c.Server.MNS.Send(dead, mns.Outgoing{Body: `{"v":1,"function":"attach-role","scope":{"account":"1000000000000001","region":"cn-hangzhou"},"kind":"instance","ids":["i-local999999999999"],"try":3}`})
				c.ok(err)
				c.sampled()
			}, nil, nil},
		{"a trigger is edited", "triggers", "make deploy REGION=" + server.Home,
			func() {
				c.call(http.MethodPut, "/2023-03-30/functions/fleetwarden-sweep/triggers/every-night", map[string]any{"triggerConfig": `{"enable":false,"cronExpression":"CRON_TZ=Asia/Shanghai 0 30 3 * * *","payload":""}`})
			},
			func() {}, nil}, // rollout, which ends a deployment, repairs it
		{"a service-linked role is gone", "service-linked-roles", "aliyun resourcemanager CreateServiceLinkedRole",
			func() { c.Server.ServiceRoles.Remove(server.Sharer, "AliyunServiceRoleForSas") }, nil, nil},
		{name: "the file at hand is not the policy of the functions", check: "policy", mend: "make deploy REGION=",
			breaks: func() { c.edits(own, "attachAfter: 0s", "attachAfter: 1m") },
			repair: func() { c.carries(own) }},
		{name: "a channel's secret was never stored", check: "notify",
			mend: `read -rs SECRET && aliyun kms CreateSecret --SecretName fleetwarden-ops --VersionId v1 --SecretData "$SECRET" --region ` + server.Home,
			breaks: func() {
				c.edits(own, "selfManaged:", "notify: {channels: {ops: {type: wecom, secret: fleetwarden-ops}}}\nselfManaged:")
				c.carries(own)
				c.deployed()
			},
			repair: func() {
				c.ok(c.Server.KMS.SetSecret(server.Sharer, server.Home, "fleetwarden-ops", "https://robot.example.com/", ""))
			}},
		// A product that is missing comes with no command: the region goes from the policy.
		{name: "a region without KMS is guarded", check: "products-served", mend: "nothing, if that is as intended; else take cn-nanjing out of regions in the policy file, and deploy",
			also: []string{"regions-deployed"},
			breaks: func() {
				c.edits(own, "cn-shanghai]", "cn-shanghai, cn-nanjing]")
				c.carries(own)
				c.deployed()
			},
			repair: func() {
				c.edits(own, "regions:", "regions:")
				c.carries(own)
				c.deployed()
			}},
		{name: "a member's role is gone", check: "members", mend: "terraform -chdir=deploy/terraform/member workspace select -or-create " + server.Member,
			breaks: func() { c.Server.RAM.RemoveRole(server.Member, stack.Member) }, repair: c.memberRole},
		// No command takes versioning back: the step is another bucket, which Terraform makes.
		{name: "the ledger had versioning", check: "ledger", mend: "copy what is to be kept into a bucket that never had versioning; delete this one",
			breaks: func() {
				c.ok(c.Server.OSS.SetVersioning(stack.Bucket, "Enabled"))
				c.ok(c.Server.OSS.SetVersioning(stack.Bucket, "Suspended")) // which does not mend it
				out, _ := typed(t, c.Stage, 1, "doctor", "--policy", own, "--category", "ledger")
				for _, want := range []string{"\nledger\n", "  FAIL   ledger: not so: the ledger can be read", "mend: copy what is to be kept", "see:  deploy/guide/doctor.md#ledger", "1 FAIL"} {
					if !strings.Contains("\n"+out, want) {
						t.Errorf("%q is missing:\n%s", want, out)
					}
				}
			},
			repair: func() {
				c.Server.OSS.Drop(stack.Bucket)
				c.ok(c.Server.OSS.CreateBucket(server.Sharer, server.Home, stack.Bucket))
			}},
	} {
		x.breaks()
		status := 1
		if x.check == "policy" {
			status = 0 // a warning
		}
		w := wrong(c.examine(status, file()...))
		var checks []string
		for _, r := range w {
			checks = append(checks, r.ID)
		}
		slices.Sort(x.also)
		if want := append([]string{x.check}, x.also...); !slices.Equal(checks, want) {
			t.Fatalf("%s: %q are not ok, want %q: %+v", x.name, checks, want, w)
		}
		mends := map[string]bool{}
		for _, p := range w[0].Problems {
			if !strings.HasPrefix(withFile.ReplaceAllString(p.Mend, ""), x.mend) {
				t.Errorf("%s: %q", x.name, p.Mend)
			}
			if !mends[p.Mend] { // one trail may be that of several regions
				mends[p.Mend] = true
				c.types(p.Mend, x.repair)
			}
		}
		if x.name == "a role's policy is detached" { // what was optional is granted again by hand
			c.rpc(versions["ram"], "AttachPolicyToRole", map[string]string{"RoleName": "fleetwarden-watch-shares", "PolicyName": "fleetwarden-watch-shares-members", "PolicyType": "Custom"})
		}
		if w := wrong(c.examine(0, file()...)); len(w) > 0 {
			t.Fatalf("%s, and mended: %+v", x.name, w)
		}
	}
	week(c) // who, unlike the operator, may enter the member and write the ledger
	if got := found(t, c.Stage); len(got) > 0 {
		t.Errorf("the function doctor finds, after all was mended: %q", got)
	}
}

// found are the findings of the function doctor by its latest records: rule, outcome.
func found(t *testing.T, s *stage.Stage) (out []string) {
	t.Helper()
	all, err := s.Records()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		if r["function"] == "doctor" && r["type"] == "finding" {
			out = append(out, fmt.Sprint(r["rule"], " ", r["outcome"]))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func week(c *clinic) {
	c.Helper()
	res, err := c.Stack.Invoke(context.Background(), server.Home, "doctor", []byte(`{"triggerTime":"2026-01-05T23:00:00Z","triggerName":"every-week","payload":""}`))
	c.ok(err)
	if res.ErrorType != "" {
		c.Fatalf("%s: %s", res.ErrorType, res.Body)
	}
}

// The function finds the same with its own rights, the member's role included.
func TestTheFunctionDoctorReportsAsFindings(t *testing.T) {
	t.Parallel()
	c := newClinic(t, stage.Options{})
	week(c)
	if got := found(t, c.Stage); len(got) > 0 {
		t.Fatalf("before anything is broken: %q", got)
	}
	for _, p := range c.Server.RAM.Permissions() {
		if p.Caller == "fleetwarden-doctor" && !p.Allowed {
			t.Errorf("it was denied %s on %s", p.Action, p.Resource)
		}
	}
	before, err := c.Digest()
	c.ok(err)
	c.Server.KMS.SetStatus(server.Sharer, server.Home, "InDebt")
	c.Server.RAM.RemoveRole(server.Member, stack.Member)
	began := c.Server.World.Clock.Now().Add(-20 * time.Hour).UTC() // and has not ended
	run := "sweep-" + began.Format("20060102T150405Z") + "-aaaaaa"
	deposit(t, c.Stage, "ledger/starts/"+run+".json", map[string]any{"v": 1, "run": run, "at": began})
	changed, err := c.Digest()
	c.ok(err)
	week(c)
	if got := found(t, c.Stage); !slices.Equal(got, []string{"kms violation", "last-sweep violation", "members violation"}) {
		logs, _ := c.Logs()
		t.Errorf("got %q: %s", got, logs)
	}
	if after, err := c.Digest(); err != nil || after != changed || before == after {
		t.Errorf("the examination changed the world: %v", err)
	}
}

// curtailed is a copy of what is deployed, in which a function's rights lack an action.
func curtailed(t *testing.T, function, action string) string {
	t.Helper()
	to := t.TempDir()
	err := os.CopyFS(filepath.Join(to, "deploy"), os.DirFS(filepath.Join(root, "deploy")))
	for _, name := range []string{"s.yaml", filepath.Join("deploy", "ram", function+".json")} {
		var text []byte
		if err == nil {
			text, err = os.ReadFile(filepath.Join(root, name))
		}
		less := string(text)
		if err == nil && name != "s.yaml" {
			less, err = without(function, action)(function, less)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), []byte(less), 0o600)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// Without any one of its actions, the check that needs it is unread and names the action. Of
// CloudMonitor's two names for one right, which vendor's pages give, the local cloud asks one.
func TestTheFunctionDoctorNamesEachActionThatItLacks(t *testing.T) {
	t.Parallel()
	for _, action := range actions(t, "doctor") {
		if action == "cms:QueryMetricLast" {
			continue
		}
		o := stage.Options{Root: curtailed(t, "doctor", action), Regions: []string{server.Home}}
		switch action {
		case "ecs:DescribeRegions", "resourcemanager:ListAccounts", "kms:DescribeSecret", "oss:PutObject", "mns:BatchSendMessage":
			o.Policy = "doctor-directory.yaml" // it names neither regions nor accounts, and has a channel
		}
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			c := newClinic(t, o)
			c.Server.KMS.SetStatus(server.Sharer, server.Home, "NotEnabled") // a finding, of which notify is to know
			week(c)
			logs, err := c.Logs()
			c.ok(err)
			if !strings.Contains(logs+platform(c.Stage), action) {
				t.Errorf("nothing names %s", action)
			}
		})
	}
}

package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/alibabacloud-go/fc-20230330/v4/client"

	"fleetwarden/deploy/local/fc"
	"fleetwarden/deploy/local/fcapi"
	"fleetwarden/deploy/local/manifest"
	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/actiontrail"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/deployment"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// site is an account with the roles that Terraform makes, and a copy of what is deployed.
type site struct {
	*testing.T
	*server.Server
	root string
	fc3  fc3
}

// kept is a platform that runs nothing: what is deployed is only looked at here.
type kept struct{}

func (kept) Apply(fcapi.Deployment) error { return nil }
func (kept) Withdraw(string, string)      {}
func (kept) Invoke(context.Context, string, string, []byte) (fc.Result, error) {
	return fc.Result{}, errors.New("nothing runs here")
}
func (kept) InvokeAsync(string, string, []byte) error { return nil }

const commandIDs = "fleetwarden-agent-linux=c-hz01,fleetwarden-agent-windows=c-hz02,fleetwarden-trust-client=c-hz03"

// newSite is ready to be deployed to: Terraform has been here, and there are zips.
func newSite(t *testing.T) *site {
	t.Helper()
	x := emptySite(t, t.TempDir())
	x.pack("one")
	x.applyTerraform()
	return x
}

// emptySite is an account with nothing of ours, and a copy of what is deployed in root.
func emptySite(t *testing.T, root string) *site {
	t.Helper()
	s := aliyuntest.Serve(t, server.Options{})
	x := &site{T: t, Server: s, root: root}
	x.fc3 = fc3{t, s.URL(), x.root}
	x.ok(s.Router.Register("fc", fcapi.New(fcapi.Options{World: s.World, Platform: kept{}, RAM: s.RAM, Dir: t.TempDir()})))
	for name, v := range map[string]string{
		"ALIBABA_CLOUD_ENDPOINT_URL": s.URL(), "ALIBABA_CLOUD_ACCESS_KEY_ID": "local-ak", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "local-sk",
		"ALIBABA_CLOUD_IMDSV1_DISABLED": "true", "ALIBABA_CLOUD_SECURITY_TOKEN": "",
		"REGION": server.Home, "HOME_REGION": server.Home, "FLEETWARDEN_COMMANDS": commandIDs,
	} {
		t.Setenv(name, v)
	}
	x.ok(os.CopyFS(filepath.Join(x.root, "deploy"), os.DirFS("..")))
	x.write("s.yaml", string(x.read("../../s.yaml")))
	return x
}

// applyTerraform makes what deploy/terraform makes in the home region, as far as it is
// read back.
func (x *site) applyTerraform() {
	x.Helper()
	x.ok(x.OSS.CreateBucket(server.Sharer, server.Home, "fleetwarden-"+server.Sharer))
	for name, r := range x.manifest().Resources {
		document := withCommands(string(x.read("../ram/" + name + ".json")))
		x.ok(x.RAM.AddRole(server.Sharer, r.Props.Role, deployment.Trust(), map[string]string{r.Props.Role: document}))
	}
	x.makeRules(server.Home)
}

// eventRules are those that queues.tf makes in each region, with the files of their patterns.
var eventRules = map[string]string{
	"fleetwarden-instance-running-to-attach-role": "instance-running", "fleetwarden-instance-running-to-push-agent": "instance-running",
	"fleetwarden-first-heartbeat-to-push-agent": "first-heartbeat", "fleetwarden-command-completed-to-push-agent": "command-completed",
}

// bridgeRequest are the parameters of EventBridge's calls that change a rule.
type bridgeRequest struct {
	EventBusName  *string   `json:"EventBusName"`
	RuleName      *string   `json:"RuleName,omitempty"`
	FilterPattern *string   `json:"FilterPattern,omitempty"`
	EventTargets  *string   `json:"EventTargets,omitempty"`
	Targets       *string   `json:"Targets,omitempty"`
	TargetIDs     []*string `json:"TargetIds,omitempty" type:"Repeated"`
}

func (x *site) bridge(action string, in bridgeRequest) {
	x.Helper()
	x.bridgeIn(server.Home, action, in)
}

func (x *site) bridgeIn(region fleet.Region, action string, in bridgeRequest) {
	x.Helper()
	keys := &aliyun.Renewable{}
	keys.Renew(aliyun.Keys{AccessKeyID: "local-ak", AccessKeySecret: "local-sk"})
	cloud, err := aliyun.NewCloud(keys, x.URL())
	x.ok(err)
	got, err := aliyun.Do[bridgeRequest, struct {
		Success bool   `json:"Success"`
		Code    string `json:"Code"`
	}](x.Context(), cloud.NewSession(0), aliyun.API{Product: aliyun.EventBridge, Action: action, Region: region, Write: true}, &in)
	x.ok(err)
	if !got.Success {
		x.Fatalf("%s: %s", action, got.Code)
	}
}

// makeRules makes the event rules of a region as Terraform's provider does.
func (x *site) makeRules(region fleet.Region) {
	x.Helper()
	for name, pattern := range eventRules {
		x.makeRule(region, "default", name, string(x.read("../eventrules/"+pattern+".json")))
	}
}

func (x *site) makeRule(region fleet.Region, bus, name, pattern string) {
	x.Helper()
	queue := "fleetwarden-" + name[strings.LastIndex(name, "-to-")+len("-to-"):]
	x.bridgeIn(region, "CreateRule", bridgeRequest{
		EventBusName: &bus, RuleName: &name, FilterPattern: &pattern,
		EventTargets: new(strings.ReplaceAll("["+target(queue, queue)+"]", server.Home, string(region))),
	})
}

// target is one as Terraform's provider writes it.
func target(id, queue string) string {
	return `{"Id":"` + id + `","Type":"acs.mns.queue","Endpoint":"acs:mns:cn-hangzhou:` + server.Sharer + `:queues/` + queue + `",` +
		`"PushRetryStrategy":"EXPONENTIAL_DECAY_RETRY","DeadLetterQueue":{"Arn":"acs:mns:cn-hangzhou:` + server.Sharer + `:/queues/fleetwarden-dead-letters"},` +
		`"ParamList":[{"Form":"ORIGINAL","ResourceKey":"Body"},{"Form":"CONSTANT","ResourceKey":"queue","Value":"` + queue + `"}]}`
}

func (x *site) ok(err error) {
	x.Helper()
	if err != nil {
		x.Fatal(err)
	}
}

func (x *site) read(path string) []byte {
	x.Helper()
	b, err := os.ReadFile(path)
	x.ok(err)
	return b
}

func (x *site) write(path, text string) {
	x.Helper()
	to := filepath.Join(x.root, path)
	x.ok(os.MkdirAll(filepath.Dir(to), 0o755))
	x.ok(os.WriteFile(to, []byte(text), 0o644))
}

// pack puts a zip for each function where s.yaml names it.
func (x *site) pack(policy string) {
	x.Helper()
	for name := range x.manifest().Resources {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		w, err := z.Create("policy.json")
		x.ok(err)
		_, err = w.Write([]byte(name + " " + policy))
		x.ok(err)
		x.ok(z.Close())
		x.write("dist/"+name+".zip", b.String())
		x.write("dist/"+name+"/policy.json", policy)
	}
}

func (x *site) manifest() *manifest.Manifest {
	x.Helper()
	m, err := manifest.Load(filepath.Join(x.root, "s.yaml"), manifest.Options{Account: server.Sharer})
	x.ok(err)
	return m
}

// edit changes the site's s.yaml, once.
func (x *site) edit(from, to string) {
	x.Helper()
	text := string(x.read(filepath.Join(x.root, "s.yaml")))
	if !strings.Contains(text, from) {
		x.Fatalf("s.yaml does not have %q", from)
	}
	x.write("s.yaml", strings.Replace(text, from, to, 1))
}

func (x *site) rollout(args ...string) (string, error) {
	x.Helper()
	var out strings.Builder
	err := run(x.Context(), append(args, "-manifest", filepath.Join(x.root, "s.yaml")), &out)
	return out.String(), err
}

// must is a rollout that works.
func (x *site) must(args ...string) string {
	x.Helper()
	out, err := x.rollout(args...)
	x.ok(err)
	return out
}

// fails is one that does not, and says what is wrong.
func (x *site) fails(says string, args ...string) {
	x.Helper()
	if _, err := x.rollout(args...); err == nil || !strings.Contains(err.Error(), says) {
		x.Errorf("rollout %s: %v; want an error with %q", strings.Join(args, " "), err, says)
	}
}

// kept returns the records of deployments, the oldest first.
func (x *site) kept() []deployment.Record {
	x.Helper()
	var out []deployment.Record
	r, err := open(x.Context(), options{manifest: filepath.Join(x.root, "s.yaml")}, os.Stderr)
	x.ok(err)
	place, err := r.ledger()
	x.ok(err)
	store := place.Store(r.session, r.home)
	names, _, err := store.List(x.Context(), deployment.Folder, "")
	x.ok(err)
	for _, n := range names {
		text, err := store.Get(x.Context(), n)
		x.ok(err)
		var d deployment.Record
		x.ok(json.Unmarshal(text, &d))
		out = append(out, d)
	}
	return out
}

func TestADeploymentIsReadBackAndKept(t *testing.T) {
	x := newSite(t)
	x.must("prepare")
	x.fails("does not exist", "confirm") // nothing was deployed
	x.fc3.deploy(x.manifest())
	if out := x.must("confirm", "-build", "v1"); !strings.Contains(out, "recorded as oss://fleetwarden-"+server.Sharer+"/ledger/deployments/") {
		t.Error(out)
	}

	x.World.Clock.Advance(t.Context(), 1e9)
	x.pack("two")
	x.must("prepare") // its own functions are not foreign
	x.fails("runs code with checksum", "confirm")
	x.fc3.deploy(x.manifest())
	x.must("confirm", "-build", "v2")

	all := x.kept()
	if len(all) != 2 || all[0].Build != "v1" || all[1].Build != "v2" || all[0].Policy == all[1].Policy {
		t.Fatalf("kept: %+v", all)
	}
	for _, r := range all[1].Rules {
		if eventRules[r.Name] == "" || r.Status != "ENABLE" || !strings.HasSuffix(r.Targets[0].Endpoint, ":queues/"+r.Targets[0].ID) {
			t.Errorf("kept the rule %+v", r)
		}
	}
	if len(all[1].Rules) != len(eventRules) {
		t.Errorf("kept %d event rules", len(all[1].Rules))
	}
	for i, f := range all[1].Functions {
		if f.Checksum == all[0].Functions[i].Checksum {
			t.Errorf("%s was not changed by the second deployment", f)
		}
	}

	x.World.Clock.Advance(t.Context(), 1e9)
	x.pack("one") // an older tag gives the same zips
	x.fc3.deploy(x.manifest())
	x.must("confirm", "-build", "v1")
	if last := x.kept()[2]; last.Functions[0].Checksum != all[0].Functions[0].Checksum || last.Policy != all[0].Policy {
		t.Errorf("going back gave %+v", last)
	}
}

// A local cloud runs functions without packages: what else differs is found there too.
func TestFunctionsWithoutPackagesAreRecordedWithTheCodeThatIsFound(t *testing.T) {
	x := newSite(t)
	x.fc3.deploy(x.manifest())
	x.ok(os.RemoveAll(filepath.Join(x.root, "dist")))
	x.fails("make package", "confirm")
	x.fails("broken.yaml", "confirm", "-policy", filepath.Join(x.root, "broken.yaml"))
	shipped := filepath.Join(x.root, "deploy", "policy.yaml")
	x.must("confirm", "-policy", shipped)
	p, err := policy.Load(shipped, x.read(shipped))
	x.ok(err)
	if all := x.kept(); len(all) != 1 || all[0].Policy != p.Digest || all[0].Functions[0].Checksum == "" {
		t.Errorf("recorded: %+v", all)
	}
	x.edit("timeout: 120", "timeout: 121")
	x.fails(`has timeout "120", not "121"`, "confirm", "-policy", shipped)
}

func TestAQualifierThatIsMissingFailsTheSecondDeployment(t *testing.T) {
	x := newSite(t)
	x.fc3.deploy(x.manifest())
	x.pack("two")
	m := x.manifest()
	for _, r := range m.Resources {
		r.Props.AsyncInvokeConfig.Qualifier = "" // as s.yaml had it; the manifest's own check refuses that
	}
	x.fc3.deploy(m)
	x.fails("runs code with checksum", "confirm")
}

// The inbox of validate-instance stands behind an EventBridge trigger that does not change.
func TestTriggersThatFC3LeavesAreMadeRight(t *testing.T) {
	x := newSite(t)
	x.fc3.deploy(x.manifest())
	x.must("confirm")
	x.edit("{CountBasedWindow: 100,", "{CountBasedWindow: 50,")
	x.fc3.deploy(x.manifest())
	if out := x.must("confirm"); !strings.Contains(out, "changed trigger inbox") {
		t.Error(out)
	}
	c := x.fc3.client(server.Home)
	got, err := c.GetTrigger(new("fleetwarden-validate-instance"), new("inbox"))
	x.ok(err)
	if !strings.Contains(*got.Body.TriggerConfig, `"CountBasedWindow":50`) {
		t.Errorf("the inbox is %s", *got.Body.TriggerConfig)
	}

	x.edit("triggerName: every-five-minutes", "triggerName: every-seven-minutes")
	x.fc3.deploy(x.manifest())
	out := x.must("confirm")
	for _, says := range []string{"deleted trigger every-five-minutes"} {
		if !strings.Contains(out, says) {
			t.Errorf("%q is not in %s", says, out)
		}
	}
	if _, err := c.GetTrigger(new("fleetwarden-watch-shares"), new("every-five-minutes")); err == nil {
		t.Error("the old timer stands")
	}
	if out := x.must("confirm"); strings.Contains(out, "trigger") {
		t.Errorf("a second look changes something: %s", out)
	}
}

// "s" does not remove what s.yaml no longer has, and the old triggers go on.
func TestAFunctionThatIsNoLongerWantedIsNamed(t *testing.T) {
	x := newSite(t)
	x.fc3.deploy(x.manifest())
	p := x.manifest().Resources["watch-shares"].Props
	p.FunctionName = "fleetwarden-watch-shares-old"
	x.ok(x.fc3.function(p))
	x.fails("function fleetwarden-watch-shares-old in cn-hangzhou is of this deployment and not in s.yaml", "confirm")
	p.FunctionName, p.Tags = "fleetwarden-of-others", nil
	x.ok(x.fc3.function(p))
	if _, err := x.rollout("confirm"); err == nil || strings.Contains(err.Error(), "fleetwarden-of-others") {
		t.Errorf("another's function: %v", err)
	}
}

func TestAForeignFunctionStopsADeployment(t *testing.T) {
	x := newSite(t)
	m := x.manifest()
	p := m.Resources["sweep"].Props
	p.Tags = nil
	in := create(p)
	in.Code = &sdk.InputCodeLocation{ZipFile: new("UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==")}
	_, err := x.fc3.client(p.Region).CreateFunction(&sdk.CreateFunctionRequest{Body: in})
	x.ok(err)
	x.fails("function fleetwarden-sweep in cn-hangzhou exists", "prepare")
	x.fails("function fleetwarden-sweep in cn-hangzhou exists", "names") // nor is it removed
	x.fails("", "confirm")
	if got, err := x.fc3.client(p.Region).ListTriggers(&p.FunctionName, &sdk.ListTriggersRequest{}); err != nil || len(got.Body.Triggers) > 0 {
		t.Errorf("a foreign function got triggers: %v %v", got, err)
	}
}

// Without a name, every function without a tag would count as ours.
func TestADeploymentHasAName(t *testing.T) {
	x := newSite(t)
	t.Setenv("FLEETWARDEN_DEPLOYMENT", "")
	for _, command := range []string{"prepare", "confirm", "names", "removed"} {
		x.fails("no value for the tag fleetwarden:deployment", command)
	}
}

func TestServiceLinkedRolesThatAreMissingAreMade(t *testing.T) {
	x := newSite(t)
	if out := x.must("prepare"); strings.Contains(out, "service-linked") {
		t.Errorf("all stand, and yet: %s", out)
	}
	for _, l := range deployment.ServiceLinkedRoles() {
		x.ServiceRoles.Remove(server.Sharer, l.Role)
	}
	x.ok(x.Faults.Set(1, []simcloud.Fault{{Product: "resourcemanager", Action: "CreateServiceLinkedRole", Kind: simcloud.Deny}}, simcloud.EventFaults{}))
	x.fails("creating the service-linked role AliyunServiceRoleForActionTrail", "prepare")
	// An answer that was lost is not taken for a failure, and nothing is made twice.
	x.ok(x.Faults.Set(1, []simcloud.Fault{{Product: "resourcemanager", Action: "CreateServiceLinkedRole", Kind: simcloud.TimeoutAfter, Count: 1}}, simcloud.EventFaults{}))
	if _, err := x.rollout("prepare"); err == nil {
		t.Error("a lost answer was taken for one")
	}
	x.must("prepare")
	for _, l := range deployment.ServiceLinkedRoles() {
		if x.ServiceRoles.Exists(server.Sharer, l.Role) == l.Beyond {
			t.Errorf("%s exists: %v", l.Role, l.Beyond)
		}
	}
}

// The deployer's own rights are enough for rollout; without one of them it fails and names
// the action.
func TestTheDeployersRightsAreEnough(t *testing.T) {
	x := newSite(t)
	rights := string(x.read("../terraform/deployer.json"))
	as := func(document string) {
		x.ok(x.RAM.AddRole(server.Sharer, "deployer", deployment.Trust(), map[string]string{"deployer": document}))
		keys, err := x.STS.Issue(server.Sharer, "deployer", "pipeline", time.Hour)
		x.ok(err)
		t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", keys.AccessKeyId)
		t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", keys.AccessKeySecret)
		t.Setenv("ALIBABA_CLOUD_SECURITY_TOKEN", keys.SecurityToken)
	}
	as(rights)
	x.ServiceRoles.Remove(server.Sharer, "AliyunServiceRoleForFC")
	x.must("prepare")
	x.fc3.deploy(x.manifest())
	c, name := x.fc3.client(server.Home), new("fleetwarden-watch-shares")
	spoil := func() { // one trigger too few, one that is wrong and one too many
		_, err := c.DeleteTrigger(name, new("every-five-minutes"))
		x.ok(err)
		_, err = c.UpdateTrigger(name, new("image-shares"), &sdk.UpdateTriggerRequest{Body: &sdk.UpdateTriggerInput{TriggerConfig: new("{}")}})
		x.ok(err)
		_, err = c.CreateTrigger(name, &sdk.CreateTriggerRequest{Body: &sdk.CreateTriggerInput{TriggerName: new("stray"), TriggerType: new("timer"), TriggerConfig: new("{}")}})
		x.ok(err)
	}
	spoil()
	x.must("confirm")
	for action, api := range map[string]string{
		"fc:GetFunction": "fc:GetFunction", "fc:ListTagResources": "fc:ListTagResources", "fc:ListTriggers": "fc:ListTriggers",
		"fc:GetFunctionAsyncInvokeConfig": "fc:GetAsyncInvokeConfig", "fc:GetConcurrencyConfig": "fc:GetConcurrencyConfig",
		"fc:CreateTrigger": "fc:CreateTrigger", "fc:UpdateTrigger": "fc:UpdateTrigger", "fc:DeleteTrigger": "fc:DeleteTrigger",
		"ram:ListPoliciesForRole": "ram:ListPoliciesForRole", "ram:GetPolicy": "ram:GetPolicy", "eventbridge:GetRule": "eventbridge:GetRule",
		"actiontrail:DescribeTrails": "actiontrail:DescribeTrails", "actiontrail:GetTrailStatus": "actiontrail:GetTrailStatus", "oss:PutObject": "oss:PutObject",
	} {
		as(strings.ReplaceAll(rights, `"`+action+`"`, `"none:None"`))
		x.fc3.deploy(x.manifest())
		_, _ = c.DeleteTrigger(name, new("stray"))
		x.fc3.trigger(c, *name, x.manifest().Resources["watch-shares"].Props.Triggers[0])
		spoil()
		x.fails(api, "confirm")
	}
}

func TestBothToolsMeanOneAccount(t *testing.T) {
	x := newSite(t)
	for name, c := range map[string]struct{ rendered, says string }{
		"another account":    {"destination: acs:mns:cn-hangzhou:1000000000000009:/queues/x", "account 1000000000000009"},
		"nothing rendered":   {"", "rendered no resource"},
		"a variable is left": {"acs:mns:cn-hangzhou:" + server.Sharer + ":/queues/${x}", "left a variable"},
	} {
		t.Run(name, func(t *testing.T) {
			x.write("rendered.yaml", c.rendered)
			for _, command := range []string{"prepare", "names"} {
				x.fails(c.says, command, "-rendered", filepath.Join(x.root, "rendered.yaml"))
			}
		})
	}
	if out := x.must("account"); out != server.Sharer+"\n" {
		t.Errorf("account %q", out)
	}
	x.write("rendered.yaml", "acs:mns:cn-hangzhou:"+server.Sharer+":/queues/x")
	x.must("prepare", "-rendered", filepath.Join(x.root, "rendered.yaml"))
}

func TestWhatStandsOtherwiseIsNamed(t *testing.T) {
	x := newSite(t)
	x.fc3.deploy(x.manifest())
	x.must("confirm")
	c := x.fc3.client(server.Home)
	name := new("fleetwarden-push-agent")
	for says, change := range map[string]func() error{
		`has timeout "60", not "120"`: func() error {
			_, err := c.UpdateFunction(name, &sdk.UpdateFunctionRequest{Body: &sdk.UpdateFunctionInput{Timeout: new(int32(60))}})
			return err
		},
		`has reservedConcurrency "5", not "1"`: func() error {
			_, err := c.PutConcurrencyConfig(name, &sdk.PutConcurrencyConfigRequest{Body: &sdk.PutConcurrencyInput{ReservedConcurrency: new(int64(5))}})
			return err
		},
		`has reservedConcurrency "0", not "16"`: func() error { // an older way to stop a function
			_, err := c.PutConcurrencyConfig(new("fleetwarden-attach-role"), &sdk.PutConcurrencyConfigRequest{Body: &sdk.PutConcurrencyInput{ReservedConcurrency: new(int64(0))}})
			return err
		},
		`has reservedConcurrency "", not "2"`: func() error { // the service answers that there is none
			_, err := c.DeleteConcurrencyConfig(new("fleetwarden-watch-shares"))
			return err
		},
		"has invocationRestriction": func() error {
			_, err := c.DisableFunctionInvocation(name, &sdk.DisableFunctionInvocationRequest{Reason: new("an incident"), AbortOngoingRequest: new(false)})
			return err
		},
		`has onFailure ""`: func() error {
			_, err := c.DeleteAsyncInvokeConfig(name, &sdk.DeleteAsyncInvokeConfigRequest{})
			return err
		},
		"has internetAccess": func() error {
			_, err := c.UpdateFunction(name, &sdk.UpdateFunctionRequest{Body: &sdk.UpdateFunctionInput{InternetAccess: new(false)}})
			return err
		},
		"has layer acs:fc:cn-hangzhou:official:layers/x/versions/1": func() error {
			layers := []*string{new("acs:fc:cn-hangzhou:official:layers/x/versions/1")}
			_, err := c.UpdateFunction(name, &sdk.UpdateFunctionRequest{Body: &sdk.UpdateFunctionInput{Layers: layers}})
			return err
		},
		"has vpcConfig": func() error {
			_, err := c.UpdateFunction(name, &sdk.UpdateFunctionRequest{Body: &sdk.UpdateFunctionInput{VpcConfig: &sdk.VPCConfig{VpcId: new("vpc-1")}}})
			return err
		},
		`has logBeginRule "DefaultRegex"`: func() error { // a record is split at its dates
			log := *create(x.manifest().Resources["push-agent"].Props).LogConfig
			log.LogBeginRule = new("DefaultRegex")
			_, err := c.UpdateFunction(name, &sdk.UpdateFunctionRequest{Body: &sdk.UpdateFunctionInput{LogConfig: &log}})
			return err
		},
		`has role "acs:ram::1000000000000009:role/fleetwarden-attach-role"`: func() error {
			_, err := c.UpdateFunction(new("fleetwarden-attach-role"), &sdk.UpdateFunctionRequest{Body: &sdk.UpdateFunctionInput{Role: new("acs:ram::1000000000000009:role/fleetwarden-attach-role")}})
			return err
		},
		`has env.GOMEMLIMIT "sha256:`: func() error {
			_, err := c.UpdateFunction(name, &sdk.UpdateFunctionRequest{Body: &sdk.UpdateFunctionInput{EnvironmentVariables: map[string]*string{"GOMEMLIMIT": new("1MiB")}}})
			return err
		},
	} {
		x.ok(change())
		x.fails(says, "confirm")
	}
}

func TestEventRulesAreReadBack(t *testing.T) {
	x := newSite(t)
	x.fc3.deploy(x.manifest())
	x.must("confirm")
	const heartbeat, completed, running = "fleetwarden-first-heartbeat-to-push-agent", "fleetwarden-command-completed-to-push-agent", "fleetwarden-instance-running-to-attach-role"
	of := func(rule string) bridgeRequest { return bridgeRequest{EventBusName: new("default"), RuleName: &rule} }
	for _, c := range []struct {
		says, action string
		change       bridgeRequest
		undo         string
	}{
		{says: heartbeat + ` of bus default in cn-hangzhou has status DISABLE, not ENABLE; deploy cn-hangzhou again`, action: "DisableRule", change: of(heartbeat), undo: "EnableRule"},
		{says: completed + ` of bus default in cn-hangzhou has the pattern {}, not {"data":{"commandName":[{"prefix":"fleetwarden-"}]},`, action: "UpdateRule",
			change: bridgeRequest{EventBusName: new("default"), RuleName: new(completed), FilterPattern: new("{}")}},
		{says: running + ` of bus default in cn-hangzhou has no target fleetwarden-attach-role`, action: "DeleteTargets",
			change: bridgeRequest{EventBusName: new("default"), RuleName: new(running), TargetIDs: []*string{new("fleetwarden-attach-role")}}},
		{says: running + ` of bus default in cn-hangzhou has another target, copy, acs.mns.queue acs:mns:cn-hangzhou:` + server.Sharer + `:queues/fleetwarden-sweep`, action: "PutTargets",
			change: bridgeRequest{EventBusName: new("default"), RuleName: new(running), Targets: new("[" + target("copy", "fleetwarden-sweep") + "]")}},
		{says: `target fleetwarden-attach-role is acs.mns.queue acs:mns:cn-hangzhou:` + server.Sharer + `:queues/fleetwarden-push-agent`, action: "PutTargets",
			change: bridgeRequest{EventBusName: new("default"), RuleName: new(running), Targets: new("[" + target("fleetwarden-attach-role", "fleetwarden-push-agent") + "]")}},
		{says: heartbeat + " of bus default in cn-hangzhou does not exist; deploy cn-hangzhou again", action: "DeleteRule", change: of(heartbeat)},
	} {
		x.bridge(c.action, c.change)
		x.fails(c.says, "confirm")
		if c.undo != "" {
			x.bridge(c.undo, of(*c.change.RuleName))
		}
	}
	if n := len(x.kept()); n != 1 {
		t.Errorf("%d deployments were kept", n)
	}
}

func TestTheRulesOfTheMembersBusAreReadBack(t *testing.T) {
	x := newSite(t)
	t.Setenv("FLEETWARDEN_MEMBERS", server.Member)
	x.fc3.deploy(x.manifest())
	x.fails("event rule fleetwarden-launches-to-validate-instance of bus fleetwarden-members in cn-hangzhou does not exist", "confirm")
	x.bridge("CreateEventBus", bridgeRequest{EventBusName: new("fleetwarden-members")})
	for name, pattern := range eventRules {
		x.membersRule(name, pattern)
	}
	for _, inbox := range []string{"attach-role", "validate-instance"} {
		x.membersRule("fleetwarden-launches-to-"+inbox, "launches")
	}
	x.fails("event rule fleetwarden-image-shares-to-setup-share-role of bus fleetwarden-members in cn-hangzhou does not exist", "confirm")
	x.membersRule("fleetwarden-image-shares-to-setup-share-role", "image-shares")
	x.must("confirm")
	x.bridge("UpdateRule", bridgeRequest{EventBusName: new("fleetwarden-members"), RuleName: new("fleetwarden-launches-to-attach-role"),
		FilterPattern: new(string(x.read("../eventrules/launches.json")))})
	x.fails("fleetwarden-launches-to-attach-role of bus fleetwarden-members in cn-hangzhou has the pattern", "confirm") // of whatever account
}

// membersRule takes the events of the member alone.
func (x *site) membersRule(name, pattern string) {
	x.Helper()
	text := strings.TrimSpace(string(x.read("../eventrules/" + pattern + ".json")))
	x.makeRule(server.Home, "fleetwarden-members", name, strings.TrimSuffix(text, "}")+`,"aliyunoriginalaccountid":["`+server.Member+`"]}`)
}

// The provider gives back a pattern as it was written; a person may write it another way.
func TestAPatternIsComparedAsJSON(t *testing.T) {
	x := newSite(t)
	x.fc3.deploy(x.manifest())
	x.bridge("UpdateRule", bridgeRequest{EventBusName: new("default"), RuleName: new("fleetwarden-first-heartbeat-to-push-agent"),
		FilterPattern: new(`{ "type": ["ecs:CloudAssistant:FirstHeartbeat"], "source": ["acs.ecs"] }`)})
	x.must("confirm")
}

func TestRightsAndTheTrailAreReadBack(t *testing.T) {
	x := newSite(t)
	x.fc3.deploy(x.manifest())
	broad := `{"Version":"1","Statement":[{"Effect":"Allow","Action":"ecs:*","Resource":"*"}]}`
	x.ok(x.RAM.AddRole(server.Sharer, "fleetwarden-sweep", deployment.Trust(), map[string]string{"broad": broad}))
	x.fails("role fleetwarden-sweep has, beyond deploy/ram,", "confirm")
	x.fails("role fleetwarden-sweep lacks", "confirm")
}

// Newer versions of Terraform's provider make a trail and do not start it.
func TestATrailThatDoesNotLogIsNamed(t *testing.T) {
	x := newSite(t)
	x.fc3.deploy(x.manifest())
	r, err := open(t.Context(), options{manifest: filepath.Join(x.root, "s.yaml")}, os.Stderr)
	x.ok(err)
	type named struct {
		Name *string `json:"Name"`
	}
	stop := aliyun.API{Product: aliyun.ActionTrail, Action: "StopLogging", Region: server.Home, Write: true}
	_, err = aliyun.Do[named, struct{}](t.Context(), r.session, stop, &named{new(actiontrail.Standing)})
	x.ok(err)
	x.fails("no trail of ActionTrail logs", "confirm")
}

// A trail that logs reading calls alone, or another region, brings no event of a launch.
func TestATrailThatMissesLaunchesHereIsNamed(t *testing.T) {
	x := newSite(t)
	x.fc3.deploy(x.manifest())
	r, err := open(t.Context(), options{manifest: filepath.Join(x.root, "s.yaml")}, os.Stderr)
	x.ok(err)
	type changed struct {
		Name        *string `json:"Name"`
		EventRW     *string `json:"EventRW"`
		TrailRegion *string `json:"TrailRegion"`
	}
	update := func(rw, region string) {
		api := aliyun.API{Product: aliyun.ActionTrail, Action: "UpdateTrail", Region: server.Home, Write: true}
		_, err := aliyun.Do[changed, struct{}](t.Context(), r.session, api, &changed{new(actiontrail.Standing), &rw, &region})
		x.ok(err)
	}
	update("Read", "All")
	x.fails("no trail of ActionTrail logs the write calls of cn-hangzhou", "confirm")
	update("All", "cn-shanghai")
	x.fails("no trail of ActionTrail logs the write calls of cn-hangzhou", "confirm")
	update("Write", server.Home)
	x.must("confirm")
}

func TestASecondRegionsRemovalNamesNothingOfHome(t *testing.T) {
	x := newSite(t)
	x.fc3.deploy(x.manifest())
	t.Setenv("REGION", "cn-shanghai")
	x.fc3.deploy(x.manifest())
	x.makeRules("cn-shanghai")
	x.must("confirm") // home's functions under the same names are none of an older s.yaml
	names := strings.Fields(x.must("names"))
	if want := []string{"attach-role", "push-agent", "validate-instance", "watch-shares"}; !slices.Equal(names, want) {
		t.Fatalf("names %v, want %v", names, want)
	}
	x.fails("function fleetwarden-attach-role in cn-shanghai still exists", "removed") // fc3 fails with status 0
	x.fc3.remove(x.manifest(), names)
	x.must("removed")
	if all := x.kept(); len(all) != 2 || !slices.ContainsFunc(all, func(r deployment.Record) bool { return r.Region == "cn-shanghai" && len(r.Functions) == 0 }) {
		t.Errorf("kept: %+v", all)
	}
	t.Setenv("REGION", server.Home)
	x.must("confirm") // home is as it was
	if all := strings.Fields(x.must("names")); len(all) != len(slices.Collect(maps.Keys(x.manifest().Resources))) {
		t.Errorf("the home region's removal takes %v", all)
	}
}

// A removal that is not recorded would leave who compares with the records missing functions: it
// fails, so that "make remove" stops before Terraform, and is recorded when it is repeated.
func TestARemovalThatCannotBeRecordedFails(t *testing.T) {
	x := newSite(t)
	x.fc3.deploy(x.manifest())
	x.must("confirm")
	x.fc3.remove(x.manifest(), strings.Fields(x.must("names")))
	for _, kind := range []simcloud.FaultKind{simcloud.Deny, simcloud.Unavailable} {
		x.ok(x.Faults.Set(1, []simcloud.Fault{{Product: "oss", Action: "PutObject", Kind: kind}}, simcloud.EventFaults{}))
		x.fails("oss:PutObject", "removed")
		x.ok(x.Faults.Set(1, nil, simcloud.EventFaults{}))
		if all := x.kept(); len(all) != 1 || all[0].Removed() {
			t.Errorf("%s: kept: %+v", kind, all)
		}
	}
	if out := x.must("removed"); !strings.Contains(out, "the functions of cn-hangzhou are removed; recorded as oss://") {
		t.Error(out)
	}
	if all := x.kept(); len(all) != 2 || !slices.ContainsFunc(all, deployment.Record.Removed) {
		t.Errorf("kept: %+v", all)
	}
	x.must("removed") // again, as after a failure of Terraform
}

// Each call may fail, and nothing is taken for what it is not.
func TestAnAnswerThatFailsFailsTheCommand(t *testing.T) {
	x := newSite(t)
	x.fc3.deploy(x.manifest())
	for _, api := range []string{
		"fc:ListFunctions", "fc:GetFunction", "fc:ListTagResources", "fc:GetAsyncInvokeConfig", "fc:GetConcurrencyConfig", "fc:ListTriggers",
		"ram:GetRole", "ram:ListPoliciesForRole", "eventbridge:GetRule", "actiontrail:DescribeTrails", "actiontrail:GetTrailStatus", "sts:GetCallerIdentity",
	} {
		product, action, _ := strings.Cut(api, ":")
		x.ok(x.Faults.Set(1, []simcloud.Fault{{Product: product, Action: action, Kind: simcloud.Deny}}, simcloud.EventFaults{}))
		x.fails(action, "confirm")
	}
	x.ok(x.Faults.Set(1, nil, simcloud.EventFaults{}))
	x.must("confirm")
}

package stack_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	sdk "github.com/alibabacloud-go/fc-20230330/v4/client"
	"github.com/alibabacloud-go/tea/tea"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"fleetwarden/deploy/local/manifest"
	"fleetwarden/test/simcloud/server"
)

// fc3 deploys a function by the rules of the component fc3 0.1.22, read in devsapp/fc3
// src/subCommands/deploy: it plans first, and asks where anything differs from what
// stands. Then it writes all, but stops at the first trigger of EventBridge that has not
// changed. It deletes nothing.
type fc3 struct {
	*fixture
	yes     bool   // --assume-yes
	trigger string // --trigger NAME: that trigger alone
}

// errAsked ends a deployment with no terminal: with status 0, and nothing written.
var errAsked = errors.New("asked, and nobody answered")

func (d fc3) deploy(p manifest.Function) error {
	d.Helper()
	if d.differs(p) && !d.yes {
		return errAsked
	}
	if d.trigger == "" {
		_, err := d.api().UpdateFunction(&p.FunctionName, &sdk.UpdateFunctionRequest{Body: &sdk.UpdateFunctionInput{
			EnvironmentVariables: pointers(p.EnvironmentVariables), Code: d.zipped(),
		}})
		d.ok(err)
	}
	d.triggers(p)
	if d.trigger == "" {
		d.async(p)
	}
	return nil
}

// differs compares what is deployed with what stands, part by part.
func (d fc3) differs(p manifest.Function) bool {
	d.Helper()
	for _, t := range d.local(p) {
		if old := d.standing(p, t.Name); old != "" && old != d.jsonOf(t) {
			return true
		}
	}
	if d.trigger != "" {
		return false
	}
	f, err := d.api().GetFunction(&p.FunctionName, &sdk.GetFunctionRequest{})
	d.ok(err)
	a, err := d.api().GetAsyncInvokeConfig(&p.FunctionName, &sdk.GetAsyncInvokeConfigRequest{Qualifier: tea.String("LATEST")})
	d.ok(err)
	// It puts its default qualifier into what it read, and not into what it compares with.
	stands := manifest.Async{
		Qualifier: "LATEST", AsyncTask: tea.BoolValue(a.Body.AsyncTask), MaxAsyncEventAgeInSeconds: int(*a.Body.MaxAsyncEventAgeInSeconds),
		MaxAsyncRetryAttempts: new(int(*a.Body.MaxAsyncRetryAttempts)),
		DestinationConfig:     manifest.Destination{OnFailure: &manifest.Target{Destination: *a.Body.DestinationConfig.OnFailure.Destination}},
	}
	return !cmp.Equal(pointers(p.EnvironmentVariables), f.Body.EnvironmentVariables, cmpopts.EquateEmpty()) || !cmp.Equal(*p.AsyncInvokeConfig, stands)
}

// local are the triggers that are asked for.
func (d fc3) local(p manifest.Function) []manifest.Trigger {
	return slices.DeleteFunc(slices.Clone(p.Triggers), func(t manifest.Trigger) bool { return d.trigger != "" && t.Name != d.trigger })
}

func (d fc3) triggers(p manifest.Function) {
	d.Helper()
	for _, t := range d.local(p) {
		config, old := d.jsonOf(t), d.standing(p, t.Name)
		if t.Type == "eventbridge" && old == config {
			return // and not the next
		}
		var err error
		if old == "" {
			_, err = d.api().CreateTrigger(&p.FunctionName, &sdk.CreateTriggerRequest{Body: &sdk.CreateTriggerInput{TriggerName: &t.Name, TriggerType: &t.Type, TriggerConfig: &config}})
		} else {
			_, err = d.api().UpdateTrigger(&p.FunctionName, &t.Name, &sdk.UpdateTriggerRequest{Body: &sdk.UpdateTriggerInput{TriggerConfig: &config}})
		}
		d.ok(err)
	}
}

func (d fc3) async(p manifest.Function) {
	d.Helper()
	a := p.AsyncInvokeConfig
	_, err := d.api().PutAsyncInvokeConfig(&p.FunctionName, &sdk.PutAsyncInvokeConfigRequest{Qualifier: tea.String("LATEST"), Body: &sdk.PutAsyncInvokeConfigInput{
		MaxAsyncEventAgeInSeconds: tea.Int64(int64(a.MaxAsyncEventAgeInSeconds)), MaxAsyncRetryAttempts: tea.Int64(int64(*a.MaxAsyncRetryAttempts)),
		DestinationConfig: &sdk.DestinationConfig{OnFailure: &sdk.Destination{Destination: &a.DestinationConfig.OnFailure.Destination}},
	}})
	d.ok(err)
}

// standing is the config of a trigger that stands; empty for none.
func (d fc3) standing(p manifest.Function, trigger string) string {
	d.Helper()
	got, err := d.api().GetTrigger(&p.FunctionName, &trigger)
	if err != nil && strings.Contains(err.Error(), "TriggerNotFound") {
		return ""
	}
	d.ok(err)
	return normal(d.fixture, []byte(*got.Body.TriggerConfig))
}

func (d fc3) jsonOf(t manifest.Trigger) string {
	d.Helper()
	var config any
	d.ok(t.Config.Decode(&config))
	text, err := json.Marshal(config)
	d.ok(err)
	return normal(d.fixture, text)
}

func pointers(in map[string]string) map[string]*string {
	out := map[string]*string{}
	for k, v := range in {
		out[k] = &v
	}
	return out
}

// normal is JSON with its keys in order.
func normal(f *fixture, text []byte) string {
	f.Helper()
	var v any
	f.ok(json.Unmarshal(text, &v))
	out, err := json.Marshal(v)
	f.ok(err)
	return string(out)
}

// second is the function as a second deployment has it: the manifest with texts replaced.
func (f *fixture) second(replace ...string) manifest.Function {
	f.Helper()
	dir := f.TempDir()
	path := filepath.Join(dir, "s.yaml")
	f.ok(os.WriteFile(path, []byte(strings.NewReplacer(replace...).Replace(project["s.yaml"])), 0o600))
	m, err := manifest.Load(path, manifest.Options{Account: server.Sharer, Env: func(string) (string, bool) { return server.Home, true }})
	f.ok(err)
	return m.Resources["probe"].Props
}

const (
	window, newWindow     = "TimeBasedWindow: 15", "TimeBasedWindow: 7"
	pattern, newPattern   = "test:Launch", "test:Start"
	schedule, newSchedule = "0 0 4 * * *", "0 0 5 * * *"
	timeout, newVariable  = "      timeout: 60\n", "      timeout: 60\n      environmentVariables: {COLOUR: second}\n"
)

func (f *fixture) colour() string {
	f.Helper()
	got, err := f.api().GetFunction(probeName, &sdk.GetFunctionRequest{})
	f.ok(err)
	return tea.StringValue(got.Body.EnvironmentVariables["COLOUR"])
}

// What has not changed is deployed again without a question, given its qualifier; what has
// changed needs --assume-yes, without which nothing at all is deployed.
func TestASecondDeploymentAsksOnlyWhereSomethingChanged(t *testing.T) {
	f := deploy(t)
	if err := (fc3{fixture: f}).deploy(f.second()); err != nil {
		t.Errorf("the same again: %v", err)
	}
	same := f.second()
	same.AsyncInvokeConfig.Qualifier = ""
	if err := (fc3{fixture: f}).deploy(same); !errors.Is(err, errAsked) {
		t.Errorf("without a qualifier: %v", err)
	}
	changed := f.second(timeout, newVariable)
	if err := (fc3{fixture: f}).deploy(changed); !errors.Is(err, errAsked) || f.colour() != "" {
		t.Errorf("with no terminal: %v, deployed %q", err, f.colour())
	}
	if err := (fc3{fixture: f, yes: true}).deploy(changed); err != nil || f.colour() != "second" {
		t.Errorf("with --assume-yes: %v, deployed %q", err, f.colour())
	}
}

// A changed trigger behind one of EventBridge's that has not changed is left as it was, and
// the deployment ends well: by its name it is deployed.
func TestATriggerBehindAnUnchangedOneIsDeployedByItsName(t *testing.T) {
	f := deploy(t)
	changed := f.second(window, newWindow, schedule, newSchedule)
	if err := (fc3{fixture: f, yes: true}).deploy(changed); err != nil {
		t.Fatal(err)
	}
	if f.has("inbox", `"TimeBasedWindow":7`) || f.has("daily", newSchedule) {
		t.Fatal("the triggers behind launches were deployed: this version has no such rule, and make deploy needs no names")
	}
	for _, name := range []string{"inbox", "daily"} {
		if err := (fc3{fixture: f, yes: true, trigger: name}).deploy(changed); err != nil {
			t.Fatal(err)
		}
	}
	if !f.has("inbox", `"TimeBasedWindow":7`) || !f.has("daily", newSchedule) {
		t.Error("the triggers were not deployed by their names")
	}
	if err := (fc3{fixture: f, yes: true}).deploy(f.second(pattern, newPattern)); err != nil || !f.has("launches", newPattern) {
		t.Errorf("the first trigger: %v, %s", err, f.config("launches"))
	}
}

// What was taken out of the manifest stands, and goes on, until it is deleted.
func TestATriggerThatWasTakenOutOfTheManifestStands(t *testing.T) {
	f := deploy(t)
	without := f.second()
	without.Triggers = without.Triggers[:2]
	if err := (fc3{fixture: f, yes: true}).deploy(without); err != nil || !f.has("daily", schedule) {
		t.Errorf("the deployment: %v; daily: %s", err, f.config("daily"))
	}
}

func (f *fixture) has(trigger, text string) bool { return strings.Contains(f.config(trigger), text) }

// TestMakeDeployNamesTheTriggersThatFc3PassesOver: those that stand behind one of
// EventBridge's, in s.yaml's order.
func TestMakeDeployNamesTheTriggersThatFc3PassesOver(t *testing.T) {
	var want []string
	for name, r := range shipped(t).Resources {
		behind := false
		for _, trigger := range r.Props.Triggers {
			if behind {
				want = append(want, name+"/"+trigger.Name)
			}
			behind = behind || trigger.EventBridge != nil
		}
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "\nPASSED_OVER := ")
	line, _, _ := strings.Cut(after, "\n")
	got := strings.Fields(line)
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
		t.Errorf("PASSED_OVER of the Makefile, and the triggers behind others:\n%s", diff)
	}
}

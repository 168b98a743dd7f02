package stack_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/fc"
	"fleetwarden/deploy/local/manifest"
	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/simcloud/wire"
	"fleetwarden/deploy/local/stack"
	"fleetwarden/shared/fleet"
)

func TestWindowClosesWhenItsTimeIsUp(t *testing.T) {
	f := deploy(t)
	f.send(3, `{"do":"nothing"}`)
	f.quiet()
	if diff := cmp.Diff([]string{"inbox 1 15s 3 "}, f.runs()); diff != "" {
		t.Error(diff)
	}
	if st, err := f.cloud.MNS.Attributes(queue("fleetwarden-probe")); err != nil || st.Active+st.Inactive+st.Delayed != 0 {
		t.Errorf("the queue afterwards: %+v, %v", st, err)
	}
}

func TestWindowClosesWhenItIsFull(t *testing.T) {
	f := deploy(t)
	f.send(230, `{"do":"nothing"}`)
	f.quiet()
	want := []string{"inbox 1 0s 100 ", "inbox 1 0s 100 ", "inbox 1 15s 30 "}
	if diff := cmp.Diff(want, f.runs()); diff != "" {
		t.Error(diff)
	}
}

// lasting sends eight full windows at once to a probe whose invocations take 200 s.
func lasting(t *testing.T, replace ...string) *fixture {
	t.Helper()
	f := deployed(t, replace)
	f.Lengthen("probe", 200*time.Second)
	f.send(800, `{"do":"nothing"}`)
	f.quiet()
	return f
}

// most is how many invocations ran at the same moment, and refused how many got 429.
func (f *fixture) most() (most, refused, succeeded int) {
	all := f.Invocations()
	for _, x := range all {
		switch x.ErrorType {
		case "":
			succeeded++
		case fc.Exhausted:
			refused++
			continue
		}
		n := 0
		for _, y := range all {
			if y.ErrorType != fc.Exhausted && !y.Start.After(x.Start) && y.End.After(x.Start) {
				n++
			}
		}
		most = max(most, n)
	}
	return most, refused, succeeded
}

func TestSeveralWindowsAreDeliveredAtOnce(t *testing.T) {
	f := lasting(t)
	if most, refused, succeeded := f.most(); most != 8 || refused != 0 || succeeded != 8 {
		t.Errorf("%d at a time, %d refused, %d ended well; want 8, 0, 8", most, refused, succeeded)
	}
}

// Another function's reservation may leave an instance, and BACKOFF_RETRY does not wait
// for it as long as a pass may take.
func TestWindowsBesideTheLastInstanceAreDeadLettersWithBackoff(t *testing.T) {
	f := lasting(t, "role: fleetwarden-once}", "role: fleetwarden-once, concurrencyConfig: {reservedConcurrency: 79}}")
	if most, refused, succeeded := f.most(); most != 1 || refused < 8 || succeeded == 8 {
		t.Errorf("%d at a time, %d refused, %d ended well", most, refused, succeeded)
	}
	if len(f.deadLetters()) == 0 {
		t.Error("no dead letters")
	}
}

func TestWindowsBesideTheReservedInstanceWaitWithDecay(t *testing.T) {
	const role = "      role: fleetwarden-probe"
	f := lasting(t, role, "      concurrencyConfig: {reservedConcurrency: 1}\n"+role,
		"{PushRetryStrategy: BACKOFF_RETRY}", "{PushRetryStrategy: EXPONENTIAL_DECAY_RETRY}",
		`"visibilityTimeout":600`, `"visibilityTimeout":43200`)
	if most, refused, succeeded := f.most(); most != 1 || refused < 8 || succeeded != 8 {
		t.Errorf("%d at a time, %d refused, %d ended well; want 1, some, 8", most, refused, succeeded)
	}
	if dead := f.deadLetters(); len(dead) != 0 {
		t.Errorf("%d dead letters", len(dead))
	}
}

func TestWindowThatFailsForADayGoesToTheDeadLetters(t *testing.T) {
	f := deployed(t, []string{"{PushRetryStrategy: BACKOFF_RETRY}", "{PushRetryStrategy: EXPONENTIAL_DECAY_RETRY}",
		`"visibilityTimeout":600`, `"visibilityTimeout":43200`})
	f.send(1, `{"do":"fail"}`)
	for _, c := range []struct {
		until time.Duration
		dead  int
	}{{23 * time.Hour, 0}, {time.Hour, 1}} {
		if err := f.cloud.World.Clock.Advance(f.Context(), c.until); err != nil {
			t.Fatal(err)
		}
		if dead := f.deadLetters(); len(dead) != c.dead {
			t.Errorf("%d dead letters %v later, want %d", len(dead), c.until, c.dead)
		}
	}
}

func TestWindowThatKeepsFailingGoesToTheDeadLetters(t *testing.T) {
	f := deploy(t)
	f.send(2, `{"do":"fail"}`)
	f.quiet()
	if got := f.runs(); len(got) != 4 {
		t.Errorf("ran %q, want one try and 3 more", got)
	}
	dead := f.deadLetters()
	if len(dead) != 2 || !strings.Contains(dead[0], `"type":"mns:Queue:SendMessage"`) {
		t.Errorf("dead letters %q", dead)
	}
	if st, err := f.cloud.MNS.Attributes(queue("fleetwarden-probe")); err != nil || st.Active+st.Inactive+st.Delayed != 0 {
		t.Errorf("the queue afterwards: %+v, %v", st, err)
	}
}

func TestMessageIsDeliveredAsTheDocumentedCloudEvent(t *testing.T) {
	f := deploy(t)
	f.send(1, `{"do":"fail"}`)
	f.quiet()
	var got map[string]any
	if err := json.Unmarshal([]byte(f.deadLetters()[0]), &got); err != nil {
		t.Fatal(err)
	}
	id := got["id"]
	want := map[string]any{
		"id": id, "source": "MNS-fleetwarden-probe-inbox", "specversion": "1.0", "type": "mns:Queue:SendMessage",
		"datacontenttype": "application/json; charset=utf-8", "subject": "acs:mns:cn-hangzhou:1000000000000001:queues/fleetwarden-probe",
		"time": "2026-01-05T00:00:00.000Z", "aliyunpublishtime": "2026-01-05T00:00:15.000Z",
		"aliyunaccountid": server.Sharer, "aliyunoriginalaccountid": server.Sharer, "aliyunregionid": server.Home,
		"aliyuneventbusname": "MNS-fleetwarden-probe-inbox", "aliyunpublishaddr": "127.0.0.1",
		"data": map[string]any{"requestId": id, "messageId": id, "messageBody": `{"do":"fail"}`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEventOfTheBusInvokesTheFunctionOfItsRegion(t *testing.T) {
	f := deploy(t, server.Home, server.Another)
	f.publish(server.Another, "test:Launch", `{"do":"nothing"}`)
	f.publish(server.Another, "test:Other", `{"do":"nothing"}`)
	f.quiet()
	all := f.Invocations()
	if len(all) != 1 || all[0].Region != server.Another || all[0].Trigger != "launches" {
		t.Errorf("invocations %+v", all)
	}
}

func TestFailedEventOfTheBusEndsInTheFailureDestination(t *testing.T) {
	f := deploy(t)
	f.publish(server.Home, "test:Launch", `{"do":"fail"}`)
	f.quiet()
	want := []string{"launches 1 1s 0 " + fc.Handled, "launches 2 2s 0 " + fc.Handled}
	if diff := cmp.Diff(want, f.runs()); diff != "" {
		t.Error(diff)
	}
	if dead := f.deadLetters(); len(dead) != 1 || !strings.Contains(dead[0], `"condition":"HandledInvocationError"`) {
		t.Errorf("dead letters %q", dead)
	}
}

func TestEventRuleFillsTheInbox(t *testing.T) {
	f := deploy(t)
	for range 5 {
		f.publish(server.Home, "test:Running", `{}`)
	}
	if _, err := f.cloud.World.Clock.Quiet(t.Context(), 10*time.Second); err != nil {
		t.Fatal(err)
	}
	if n := f.cloud.MNS.Visible(queue("fleetwarden-probe")); n != 5 {
		t.Errorf("%d messages wait in the inbox, want 5", n)
	}
	f.quiet()
	if diff := cmp.Diff([]string{"inbox 1 16s 5 "}, f.runs()); diff != "" {
		t.Error(diff)
	}
}

func TestTimerInvokesAtItsTime(t *testing.T) {
	f := deploy(t)
	if err := f.cloud.World.Clock.Advance(t.Context(), 48*time.Hour); err != nil {
		t.Fatal(err)
	}
	want := []string{"daily 1 4h0m0s 1 ", "daily 1 28h0m0s 1 "}
	if diff := cmp.Diff(want, f.runs()); diff != "" {
		t.Error(diff)
	}
}

func TestFunctionIsInvokedAndSeenOverTheControlAPI(t *testing.T) {
	f := deploy(t)
	post := func(path, body string) *http.Response {
		resp, err := http.Post(f.cloud.URL()+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		return resp
	}
	if resp := post("/_sim/invoke/probe", `{"do":"nothing"}`); resp.StatusCode != 200 || resp.Header.Get("X-Fc-Error-Type") != "" {
		t.Errorf("a success: %s %v", resp.Status, resp.Header)
	}
	if resp := post("/_sim/invoke/probe", `{"do":"fail"}`); resp.StatusCode != 200 || resp.Header.Get("X-Fc-Error-Type") != fc.Handled {
		t.Errorf("a failure: %s %v", resp.Status, resp.Header)
	}
	if resp := post("/_sim/invoke/other", `{}`); resp.StatusCode != 404 {
		t.Errorf("a missing function: %s", resp.Status)
	}
	resp, err := http.Get(f.cloud.URL() + "/_sim/invocations")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Invocations []fc.Invocation }
	if err := json.Unmarshal(body, &got); err != nil || len(got.Invocations) != 2 || got.Invocations[0].Function != "probe" {
		t.Errorf("invocations %s, %v", body, err)
	}
}

func TestFunctionRunsAsItsRole(t *testing.T) {
	f := deploy(t)
	res, err := f.Invoke(t.Context(), server.Home, "probe", []byte(`{"do":"identity"}`))
	want := "acs:ram::1000000000000001:assumed-role/fleetwarden-probe/fc-" + res.RequestID
	if err != nil || !strings.Contains(string(res.Body), want) {
		t.Errorf("answer %s, %v; want the role %s", res.Body, err, want)
	}
	if diff := cmp.Diff(map[string]int{"": 3}, f.identities()); diff != "" {
		t.Error(diff)
	}
}

func TestProcessIsKilledExactlyAtACallToTheCloud(t *testing.T) {
	for _, c := range []struct {
		when fc.When
		want map[string]int
	}{
		{fc.Before, map[string]int{"": 1, "Timeout": 1}},
		{fc.After, map[string]int{"": 1, "Timeout": 1}},
	} {
		f := deploy(t)
		f.Kill("probe", 2, c.when)
		res, err := f.Invoke(t.Context(), server.Home, "probe", []byte(`{"do":"identity"}`))
		if err != nil || res.ErrorType != fc.Unhandled {
			t.Errorf("when %v: %s, %v", c.when, res.ErrorType, err)
		}
		f.quiet() // the dropped request ends after the process
		if diff := cmp.Diff(c.want, f.identities()); diff != "" {
			t.Errorf("when %v: %s", c.when, diff)
		}
	}
}

func TestAFunctionThatExistsOnceIsDeployedOnceAtHome(t *testing.T) {
	f := deploy(t, server.Home, server.Another)
	var got []string
	for _, d := range f.Functions() {
		got = append(got, d.Region+" "+d.Function)
	}
	if diff := cmp.Diff([]string{"cn-hangzhou once", "cn-hangzhou probe", "cn-shanghai probe"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAQueueOfTheHomeRegionIsMadeThereAlone(t *testing.T) {
	end := `{"name":"fleetwarden-dead-letters",`
	f := deployed(t, []string{end, `{"name":"fleetwarden-once","where":"home","messageRetentionPeriod":604800,"visibilityTimeout":60},` + end}, server.Home, server.Another)
	for region, want := range map[string]bool{server.Home: true, server.Another: false} {
		_, err := f.cloud.MNS.Attributes(mns.Queue{Account: server.Sharer, Region: region, Name: "fleetwarden-once"})
		if (err == nil) != want {
			t.Errorf("in %s: %v, want it there %v", region, err, want)
		}
		if _, err := f.cloud.MNS.Attributes(mns.Queue{Account: server.Sharer, Region: region, Name: "fleetwarden-dead-letters"}); err != nil {
			t.Errorf("in %s: %v", region, err)
		}
	}
}

func TestTheMembersRoleTrustsTheRolesOfTheHomeAccountThatItsFileNames(t *testing.T) {
	f := deploy(t)
	for role, want := range map[string]bool{"fleetwarden-probe": true, "fleetwarden-once": false} {
		who := wire.Identity{Account: server.Sharer, Type: "AssumedRoleUser", Name: role}
		if got := f.cloud.RAM.TrustsCaller(server.Member, stack.Member, who, nil); got != want {
			t.Errorf("%s: trusted %v, want %v", role, got, want)
		}
	}
}

func TestStackRefusesWhatIsMissing(t *testing.T) {
	cloud, err := server.New(server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer cloud.Close()
	if _, err := stack.Start(t.Context(), stack.Options{Server: cloud, Manifest: "missing/s.yaml"}); err == nil {
		t.Error("a missing manifest was accepted")
	}
	if _, err := stack.Start(t.Context(), stack.Options{Server: cloud, Manifest: "../../../s.yaml", BinDir: t.TempDir()}); err == nil {
		t.Error("missing binaries were accepted")
	}
}

// TestManifestAndFoldersAgree: every function of s.yaml has its folder, its RAM
// policy and its inbox, and every folder its function.
func TestManifestAndFoldersAgree(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	m := shipped(t)
	deployed := map[string]bool{}
	for name, r := range m.Resources {
		cloud := fleet.CloudName(name)
		deployed[stack.Folder(name)] = true
		if r.Props.FunctionName != cloud || r.Props.Code != "./dist/"+name+".zip" || r.Props.Role != cloud {
			t.Errorf("resource %s: function %s, code %s, role %s", name, r.Props.FunctionName, r.Props.Code, r.Props.Role)
		}
		for _, path := range []string{"functions/" + stack.Folder(name) + "/main.go", "deploy/ram/" + name + ".json"} {
			if _, err := os.Stat(filepath.Join(root, path)); err != nil {
				t.Errorf("function %s: %v", name, err)
			}
		}
	}
	folders, err := os.ReadDir(filepath.Join(root, "functions"))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range folders {
		if d.IsDir() && !deployed[d.Name()] {
			t.Errorf("s.yaml has no function for functions/%s", d.Name())
		}
	}
}

// TestOneWriterIsOneInstance: what only one pass at a time may write, in a region or in
// all, belongs to functions that have one instance.
func TestOneWriterIsOneInstance(t *testing.T) {
	m := shipped(t)
	for _, name := range []string{"push-agent", "setup-share-role"} {
		f := m.Resources[name].Props
		if n := f.ConcurrencyConfig.ReservedConcurrency; n != 1 {
			t.Errorf("%s has %d reserved instances, want 1", name, n)
		}
		for _, trigger := range f.Triggers {
			if !isStream(trigger) {
				t.Errorf("%s: trigger %s is no stream, which would wait for the instance", name, trigger.Name)
			}
		}
	}
}

// TestTheAccountsOwnFunctionsKeepTheirShare: all functions of an account and region have
// 100 instances together. Ours have shares, so that they never take the last one.
func TestTheAccountsOwnFunctionsKeepTheirShare(t *testing.T) {
	const all, others = 100, 20
	sum := 0
	for name, r := range shipped(t).Resources {
		n := r.Props.ConcurrencyConfig.ReservedConcurrency
		if n < 1 {
			t.Errorf("%s has no share of its own, and may take all instances that are left", name)
		}
		sum += n
	}
	if sum > all-others {
		t.Errorf("our functions may have %d instances in the home region, of %d: that leaves less than %d", sum, all, others)
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "s.yaml"))
	if want := fmt.Sprintf("no other can take: %d in the home region", sum); err != nil || !strings.Contains(string(text), want) {
		t.Errorf("s.yaml does not say %q, %v", want, err)
	}
}

// TestWindowsWaitForADay: what is beyond a function's share gets 429, and is tried for a
// day. No message may go to the dead letters before that because it was received again.
func TestWindowsWaitForADay(t *testing.T) {
	var queues struct {
		Queues []struct {
			Name              string
			VisibilityTimeout int
			DeadLetter        struct{ MaxReceiveCount int }
		}
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "deploy", "queues.json"))
	if err == nil {
		err = json.Unmarshal(text, &queues)
	}
	if err != nil {
		t.Fatal(err)
	}
	waits := map[string]int{} // s
	for _, q := range queues.Queues {
		waits[q.Name] = q.VisibilityTimeout * q.DeadLetter.MaxReceiveCount
	}
	for name, r := range shipped(t).Resources {
		for _, trigger := range r.Props.Triggers {
			if !isStream(trigger) {
				continue
			}
			e := trigger.EventBridge
			if s := e.RunOptions.RetryStrategy.PushRetryStrategy; s != "EXPONENTIAL_DECAY_RETRY" {
				t.Errorf("the stream %s of %s has %s, which gives up within a minute", trigger.Name, name, s)
			}
			if q := e.EventSourceConfig.Parameters.MNS.QueueName; waits[q] < 24*60*60 {
				t.Errorf("messages of %s are dead letters after %d s of waiting, want a day at least", q, waits[q])
			}
		}
	}
}

// shipped is s.yaml as it is deployed.
func shipped(t *testing.T) *manifest.Manifest {
	t.Helper()
	m, err := manifest.Load(filepath.Join("..", "..", "..", "s.yaml"), manifest.Options{Account: server.Sharer})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func isStream(trigger manifest.Trigger) bool {
	return trigger.EventBridge != nil && trigger.EventBridge.EventSourceConfig.Type == "MNS"
}

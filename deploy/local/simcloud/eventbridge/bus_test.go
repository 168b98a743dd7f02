package eventbridge_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/eventbridge"
	"fleetwarden/deploy/local/simcloud/mns"
)

const account, region = "1000000000000001", "cn-hangzhou"

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

type fixture struct {
	*testing.T
	world  *simcloud.World
	bus    *eventbridge.Service
	faults *simcloud.Faults
	got    [][]byte
	at     []time.Duration
	fail   int // so many pushes fail first
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{T: t, world: simcloud.NewWorld(simcloud.NewClock(start), nil, nil), faults: &simcloud.Faults{}}
	f.bus = eventbridge.New(eventbridge.Options{World: f.world, Faults: f.faults})
	return f
}

func (f *fixture) push(event []byte) error {
	f.at = append(f.at, f.world.Clock.Now().Sub(start))
	if f.fail > 0 {
		f.fail--
		return errors.New("the target is away")
	}
	f.got = append(f.got, event)
	return nil
}

func (f *fixture) rule(pattern string, target eventbridge.Target) {
	f.Helper()
	p, err := eventbridge.ParsePattern([]byte(pattern))
	if err != nil {
		f.Fatal(err)
	}
	if err := f.bus.Put(account, region, eventbridge.Rule{Name: "r", Pattern: p, Targets: []eventbridge.Target{target}}); err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) publish(account, region, kind string) {
	f.world.Publish(simcloud.Event{
		Account: account, Region: region, Source: "acs.ecs", Type: kind, Subject: "acs.ecs:cn-hangzhou:1000000000000001:1",
		Data: json.RawMessage(`{"state":"Running"}`),
	})
}

func (f *fixture) quiet() {
	f.Helper()
	if quiet, err := f.world.Clock.Quiet(f.Context(), 48*time.Hour); err != nil || !quiet {
		f.Fatalf("quiet %v, %v", quiet, err)
	}
}

func TestEventIsDeliveredInTheDocumentedEnvelope(t *testing.T) {
	f := newFixture(t)
	f.rule(`{"type":[{"prefix":"ecs:"}]}`, eventbridge.Target{Push: f.push})
	f.publish(account, region, "ecs:Instance:StateChange")
	f.quiet()
	if len(f.got) != 1 {
		t.Fatalf("delivered %d events", len(f.got))
	}
	var got map[string]any
	if err := json.Unmarshal(f.got[0], &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"id": "event-local000000000000001", "source": "acs.ecs", "specversion": "1.0", "type": "ecs:Instance:StateChange",
		"datacontenttype": "application/json;charset=utf-8", "subject": "acs.ecs:cn-hangzhou:1000000000000001:1",
		"time": "2026-01-01T08:00:00+08:00", "aliyunpublishtime": "2026-01-01T08:00:01.000PRC",
		"aliyunaccountid": account, "aliyunoriginalaccountid": account, "aliyuneventbusname": "default",
		"aliyunregionid": region, "aliyunpublishaddr": "127.0.0.1", "data": map[string]any{"state": "Running"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]time.Duration{time.Second}, f.at); diff != "" {
		t.Error(diff)
	}
}

func TestEventOfAnotherKindAccountOrRegionIsNotDelivered(t *testing.T) {
	f := newFixture(t)
	f.rule(`{"type":["ecs:Instance:StateChange"]}`, eventbridge.Target{Push: f.push})
	f.publish(account, region, "ecs:Disk:Stalled")
	f.publish("1000000000000002", region, "ecs:Instance:StateChange")
	f.publish(account, "cn-shanghai", "ecs:Instance:StateChange")
	f.quiet()
	if len(f.got) != 0 {
		t.Errorf("delivered %s", f.got)
	}
}

func TestFailedPushIsTriedAgain(t *testing.T) {
	f := newFixture(t)
	f.fail = 3
	f.rule(`{}`, eventbridge.Target{Push: f.push})
	f.publish(account, region, "x")
	f.quiet()
	if len(f.got) != 1 || len(f.at) != 4 {
		t.Fatalf("delivered %d events in %d tries", len(f.got), len(f.at))
	}
	for i := 1; i < 4; i++ {
		if wait := f.at[i] - f.at[i-1]; wait < 10*time.Second || wait > 20*time.Second {
			t.Errorf("try %d came after %v", i+1, wait)
		}
	}
}

func TestPushThatKeepsFailingGoesToTheDeadLettersOnce(t *testing.T) {
	f := newFixture(t)
	f.fail = 1000
	var dead [][]byte
	f.rule(`{}`, eventbridge.Target{Push: f.push, Strategy: eventbridge.ExponentialDecayRetry, DeadLetter: func(e []byte) error {
		dead = append(dead, e)
		return nil
	}})
	f.publish(account, region, "x")
	f.quiet()
	if len(dead) != 1 || len(f.at) != 177 || len(f.bus.Lost()) != 0 {
		t.Errorf("%d dead letters after %d tries, lost %+v", len(dead), len(f.at), f.bus.Lost())
	}
	if took := f.at[176]; took < 23*time.Hour || took > 25*time.Hour {
		t.Errorf("the retries took %v, want about a day", took)
	}
}

func TestPushGivenUpWithoutDeadLettersIsLost(t *testing.T) {
	f := newFixture(t)
	f.fail = 4
	f.rule(`{}`, eventbridge.Target{ID: "t", Push: f.push})
	f.publish(account, region, "x")
	f.quiet()
	if lost := f.bus.Lost(); len(lost) != 1 || lost[0].Target != "t" || lost[0].Reason != "the target is away" {
		t.Errorf("lost %+v", lost)
	}
}

func TestFaultsDuplicateLoseAndReorderEvents(t *testing.T) {
	f := newFixture(t)
	f.rule(`{}`, eventbridge.Target{Push: f.push})
	set := func(e simcloud.EventFaults) {
		if err := f.faults.Set(1, nil, e); err != nil {
			t.Fatal(err)
		}
	}
	set(simcloud.EventFaults{Duplicate: 1})
	f.publish(account, region, "x")
	f.quiet()
	if len(f.got) != 2 || string(f.got[0]) != string(f.got[1]) {
		t.Errorf("a duplicated event was delivered as %q", f.got)
	}
	set(simcloud.EventFaults{Lose: 1})
	f.publish(account, region, "x")
	f.quiet()
	if len(f.got) != 2 || len(f.bus.Lost()) != 1 {
		t.Errorf("a lost event: delivered %d, lost %d", len(f.got), len(f.bus.Lost()))
	}
	set(simcloud.EventFaults{Delay: 1, MaxDelay: time.Hour})
	f.publish(account, region, "late")
	set(simcloud.EventFaults{})
	f.publish(account, region, "early")
	f.quiet()
	var types []string
	for _, e := range f.got[2:] {
		var x struct{ Type string }
		if err := json.Unmarshal(e, &x); err != nil {
			t.Fatal(err)
		}
		types = append(types, x.Type)
	}
	if diff := cmp.Diff([]string{"early", "late"}, types); diff != "" {
		t.Error(diff)
	}
}

func TestQueueTargetGetsTheWholeEvent(t *testing.T) {
	f := newFixture(t)
	queues := mns.New(f.world)
	f.bus = eventbridge.New(eventbridge.Options{World: f.world, Queues: queues})
	q := mns.Queue{Account: account, Region: region, Name: "fleetwarden-a"}
	if _, err := queues.Create(q, mns.Defaults()); err != nil {
		t.Fatal(err)
	}
	target, err := f.bus.Connect(account, region, eventbridge.TargetInfo{
		Id: "t", Type: eventbridge.ToQueue, Endpoint: "acs:mns:cn-hangzhou:1000000000000001:queues/fleetwarden-a",
		ParamList: []eventbridge.TargetParam{{ResourceKey: "queue", Form: "CONSTANT", Value: q.Name}, {ResourceKey: "Body", Form: "ORIGINAL"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	f.rule(`{}`, target)
	f.publish(account, region, "x")
	f.quiet()
	got, err := queues.Receive(q, 16)
	if err != nil || len(got) != 1 {
		t.Fatalf("received %+v, %v", got, err)
	}
	p, err := eventbridge.ParsePattern([]byte(`{"specversion":["1.0"],"type":["x"],"data":{"state":["Running"]}}`))
	if err != nil {
		t.Fatal(err)
	}
	if !p.Match([]byte(got[0].Body)) {
		t.Errorf("received %s", got[0].Body)
	}
}

func TestEventTooLargeIsRefused(t *testing.T) {
	f := newFixture(t)
	f.rule(`{}`, eventbridge.Target{Push: f.push})
	large, err := json.Marshal(string(make([]byte, 256<<10)))
	if err != nil {
		t.Fatal(err)
	}
	f.world.Publish(simcloud.Event{Account: account, Region: region, Type: "x", Data: large})
	f.quiet()
	if len(f.got) != 0 || len(f.bus.Lost()) != 1 {
		t.Errorf("delivered %d, lost %d", len(f.got), len(f.bus.Lost()))
	}
}

func TestBusRefusesWhatIsNoRule(t *testing.T) {
	f := newFixture(t)
	p, err := eventbridge.ParsePattern([]byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	six := make([]eventbridge.Target, 6)
	for _, r := range []eventbridge.Rule{{Name: "r", Targets: six[:1]}, {Pattern: p, Targets: six[:1]}, {Name: "r", Pattern: p}, {Name: "r", Pattern: p, Targets: six}} {
		if err := f.bus.Put(account, region, r); err == nil {
			t.Errorf("%+v was accepted", r)
		}
	}
}

package eventbridge_test

import (
	"testing"

	sim "fleetwarden/deploy/local/simcloud/eventbridge"
	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/aliyun/eventbridge"
	"fleetwarden/shared/fleet"
)

const name = "running-to-inbox"

func newServer(t *testing.T) *server.Server {
	t.Helper()
	s := aliyuntest.Serve(t, server.Options{})
	q := mns.Queue{Account: server.Sharer, Region: server.Home, Name: "inbox"}
	if _, err := s.MNS.Create(q, mns.Defaults()); err != nil {
		t.Fatal(err)
	}
	pattern, err := sim.ParsePattern([]byte(`{"source":["acs.ecs"]}`))
	if err != nil {
		t.Fatal(err)
	}
	target, err := s.EventBridge.Connect(server.Sharer, server.Home, sim.TargetInfo{
		Id: "inbox", Type: sim.ToQueue, Endpoint: "acs:mns:cn-hangzhou:" + server.Sharer + ":queues/inbox",
		DeadLetterQueue: &sim.DeadLetterQueue{Arn: "acs:mns:cn-hangzhou:" + server.Sharer + ":/queues/dead"},
		ParamList:       []sim.TargetParam{{ResourceKey: "Body", Form: "ORIGINAL"}},
	})
	if err == nil {
		err = s.EventBridge.Put(server.Sharer, server.Home, sim.Rule{Name: name, Pattern: pattern, Targets: []sim.Target{target}})
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func client(t *testing.T, s *server.Server, key string) *eventbridge.Client {
	t.Helper()
	cloud := aliyuntest.Cloud(t, s.URL(), aliyun.Keys{AccessKeyID: key + "-ak", AccessKeySecret: key + "-sk"})
	return eventbridge.New(cloud.NewSession(0), server.Home)
}

func TestARuleIsReadWithItsTargets(t *testing.T) {
	got, err := client(t, newServer(t), "local").Rule(t.Context(), "default", name)
	if err != nil {
		t.Fatal(err)
	}
	if got.Name != name || got.Status != "ENABLE" || got.Pattern != `{"source":["acs.ecs"]}` || len(got.Targets) != 1 {
		t.Fatalf("got %+v", got)
	}
	to := got.Targets[0]
	if to.ID != "inbox" || to.Type != "acs.mns.queue" || to.DeadLetter.ARN == "" || len(to.Params) != 1 || to.Params[0].Form != "ORIGINAL" {
		t.Errorf("its target is %+v", to)
	}
}

// EventBridge refuses with HTTP 200.
func TestWhatDoesNotExistIsNotFound(t *testing.T) {
	c := client(t, newServer(t), "local")
	for bus, rule := range map[string]string{"default": "another", "another": name} {
		if got, err := c.Rule(t.Context(), bus, rule); got != nil || fleet.ClassOf(err) != fleet.NotFound {
			t.Errorf("rule %s of bus %s: got %v, %v", rule, bus, got, err)
		}
	}
}

func TestARuleThatMayNotBeReadIsDenied(t *testing.T) {
	s := newServer(t)
	if err := s.RAM.AddUser(server.Sharer, "weak", "weak-ak", "weak-sk"); err != nil {
		t.Fatal(err)
	}
	if got, err := client(t, s, "weak").Rule(t.Context(), "default", name); got != nil || fleet.ClassOf(err) != fleet.Denied {
		t.Errorf("got %v, %v", got, err)
	}
}

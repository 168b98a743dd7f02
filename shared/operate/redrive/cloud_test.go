package redrive_test

import (
	"testing"
	"time"

	simmns "fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/aliyun/mns"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/redrive"
	"fleetwarden/shared/queue"
)

// A message on which its function failed until MNS moved it is in the function's inbox again,
// without its tries.
func TestAMessageThatMNSMovedIsInItsInboxAgain(t *testing.T) {
	srv, client := newCloud(t)
	id := func(name string) simmns.Queue {
		return simmns.Queue{Account: server.Sharer, Region: server.Home, Name: name}
	}
	inbox, dead := id("fleetwarden-push-agent"), id(queue.DeadLetters)
	for _, q := range []simmns.Queue{dead, inbox} {
		if _, err := srv.MNS.Create(q, simmns.Defaults()); err != nil {
			t.Fatal(err)
		}
	}
	if err := srv.MNS.SetDeadLetter(inbox, &simmns.DeadLetterPolicy{Target: dead.Name, MaxReceiveCount: 1}); err != nil {
		t.Fatal(err)
	}
	ref := fleet.Ref{Scope: fleet.Scope{Account: server.Sharer, Region: server.Home}, Kind: fleet.KindInstance, ID: "i-1", Try: fleet.Try{N: 60, Run: "old"}}
	inboxes := queue.New(client, "push-agent")
	if err := inboxes.Again(t.Context(), []fleet.Ref{ref}, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := srv.MNS.Receive(inbox, 1); err != nil {
		t.Fatal(err)
	}
	if err := srv.World.Clock.Advance(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	if srv.MNS.Visible(dead) != 1 {
		t.Fatal("the message is no dead letter")
	}
	r := &redrive.Redrive{Queue: client, Inboxes: inboxes, Decode: decode, Run: "run-1", DryRun: true}
	if sum, err := r.Do(t.Context()); err != nil || sum.Letters[redrive.Planned] != 1 || srv.MNS.Visible(dead) != 1 || srv.MNS.Visible(inbox) != 0 {
		t.Errorf("dry run: got %+v, %v", sum, err)
	}
	r.DryRun = false
	if sum, err := r.Do(t.Context()); err != nil || sum.Letters[redrive.Redriven] != 1 {
		t.Errorf("got %+v, %v", sum, err)
	}
	got, err := srv.MNS.Receive(inbox, 2)
	want := `{"v":1,"function":"push-agent","scope":{"account":"1000000000000001","region":"cn-hangzhou"},"kind":"instance","ids":["i-1"],"try":0,"run":"old"}`
	if err != nil || len(got) != 1 || got[0].Body != want {
		t.Errorf("got %+v, %v, want %s", got, err, want)
	}
	if left, err := srv.MNS.Attributes(dead); err != nil || left.Active+left.Inactive != 0 {
		t.Errorf("left %+v, %v", left, err)
	}
}

func newCloud(t *testing.T) (*server.Server, *mns.Client) {
	t.Helper()
	srv := aliyuntest.Serve(t, server.Options{})
	cloud := aliyuntest.Cloud(t, srv.URL(), aliyuntest.Admin())
	queues, err := mns.Connect(cloud, fleet.Scope{Account: server.Sharer, Region: server.Home})
	if err != nil {
		t.Fatal(err)
	}
	return srv, queues.Client(cloud.NewSession(0))
}

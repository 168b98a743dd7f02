package replay_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	simmns "fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/aliyun/mns"
	"fleetwarden/shared/aliyun/trail"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/operate/replay"
	"fleetwarden/shared/queue"
)

// launch is RunInstances of the local cloud's start world.
type launch struct {
	RegionID        *string `json:"RegionId,omitempty"`
	InstanceType    *string `json:"InstanceType,omitempty"`
	ImageID         *string `json:"ImageId,omitempty"`
	VSwitchID       *string `json:"VSwitchId,omitempty"`
	SecurityGroupID *string `json:"SecurityGroupId,omitempty"`
}

type launched struct {
	InstanceIDSets struct {
		InstanceIDSet []string `json:"InstanceIdSet"`
	} `json:"InstanceIdSets"`
}

// Launches whose events were not delivered are in the inboxes after a replay, over the wire.
func TestLaunchesOfTheTrailAreInTheInboxes(t *testing.T) {
	srv, session := newCloud(t)
	id := func(name string) simmns.Queue {
		return simmns.Queue{Account: server.Sharer, Region: server.Home, Name: fleet.CloudName(name)}
	}
	for _, name := range []string{"validate-instance", "attach-role"} {
		if _, err := srv.MNS.Create(id(name), simmns.Defaults()); err != nil {
			t.Fatal(err)
		}
	}
	since := srv.World.Clock.Now()
	var want []string
	for range 51 { // a page and one
		made, err := aliyun.Do[launch, launched](t.Context(), session, aliyun.API{Product: aliyun.ECS, Action: "RunInstances", Region: server.Home, Write: true}, &launch{
			new(server.Home), new("ecs.g7t.large"), new("aliyun_3_x64_20G_uefi_alibase_20230727.vhd"), new("vsw-local"), new("sg-local"),
		})
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, made.InstanceIDSets.InstanceIDSet...)
	}
	if err := srv.World.Clock.Advance(t.Context(), trail.Delay+time.Minute); err != nil {
		t.Fatal(err)
	}
	queues, err := mns.Connect(session.Cloud(), fleet.Scope{Account: server.Sharer, Region: server.Home})
	if err != nil {
		t.Fatal(err)
	}
	inboxes := queue.New(queues.Client(session), "backfill")
	b := newBench(t)
	b.Trail, b.Replay.Store = trail.New(session), ledger.NewFolder(t.TempDir())
	b.Replay.Inboxes, b.CloudNow = inboxes, srv.World.Clock.Now
	sum, err := b.Start(t.Context(), replay.Job{Run: "run-1", Region: server.Home, Window: replay.Window{Since: since, Until: srv.World.Clock.Now()}})
	if err != nil || sum.Records != 51 || sum.Refs["attach-role"] != 51 || sum.Unread+sum.Ignored != 0 {
		t.Errorf("got %+v, %v", sum, err)
	}
	for _, name := range []string{"validate-instance", "attach-role"} {
		if diff := cmp.Diff(want, heard(t, srv, id(name))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if again, err := b.Resume(t.Context(), "run-1"); err != nil || again.Pages != sum.Pages {
		t.Errorf("got %+v, %v", again, err)
	}
}

// heard are the ids that an inbox's messages name.
func heard(t *testing.T, srv *server.Server, q simmns.Queue) (ids []string) {
	t.Helper()
	for {
		got, err := srv.MNS.Receive(q, 16)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 0 {
			return ids
		}
		for _, m := range got {
			for batch, err := range decode(fmt.Appendf(nil, "[%s]", m.Body)) {
				if err != nil {
					t.Error(err)
				}
				for _, r := range batch.Refs {
					ids = append(ids, r.ID)
				}
			}
		}
	}
}

func newCloud(t *testing.T) (*server.Server, *aliyun.Session) {
	t.Helper()
	srv := aliyuntest.Serve(t, server.Options{})
	cloud := aliyuntest.Cloud(t, srv.URL(), aliyuntest.Admin())
	return srv, cloud.NewSession(0)
}

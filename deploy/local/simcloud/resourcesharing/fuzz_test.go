package resourcesharing_test

import (
	"errors"
	"testing"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/access"
	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/kms"
	"fleetwarden/deploy/local/simcloud/ram"
	"fleetwarden/deploy/local/simcloud/resourcemanager"
	"fleetwarden/deploy/local/simcloud/resourcesharing"
	"fleetwarden/deploy/local/simcloud/wire"
)

const (
	account = "1000000000000001"
	member  = "1000000000000003"
	region  = "cn-hangzhou"
)

// newCloud is Resource Sharing without a wire, with one snapshot that is not
// encrypted.
func newCloud(t testing.TB) (s *resourcesharing.Service, snapshot string) {
	t.Helper()
	clock := simcloud.NewClock(time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC))
	w := simcloud.NewWorld(clock, []string{account, member}, []string{region})
	r, err := ram.New(ram.Options{World: w})
	if err != nil {
		t.Fatal(err)
	}
	k, d := kms.New(w), resourcemanager.New(w)
	e := ecs.New(w, r, enabled{})
	a := &access.Access{RAM: r, KMS: k, Directory: d}
	s = resourcesharing.New(w, e, a)
	a.Shares = s
	e.SetAccess(a)
	ids, err := e.SeedSnapshots(ecs.SnapshotSpec{})
	if err != nil {
		t.Fatal(err)
	}
	return s, ids[0]
}

// enabled is a KMS in which all is well.
type enabled struct{}

func (enabled) Enabled(string, string) bool                      { return true }
func (enabled) Key(string, string, string) (found, enabled bool) { return true, true }

func call(action string) *wire.Call {
	return &wire.Call{
		Product: "resourcesharing", Action: action, Region: region, Caller: wire.Identity{Account: account},
		Authorize: func(string, string, map[string]string) error { return nil },
	}
}

func FuzzEntitiesAreReadOrRefused(f *testing.F) {
	f.Add("s-1", "Snapshot", "acs:ecs:cn-hangzhou:1000000000000001:snapshot/s-1", member, "x")
	f.Add("", "Image", "acs:ecs:::image/", "rd-Local1", "")
	f.Add("s", "", ":::::", "fd-", "YWZ0ZXI6MQ")
	f.Fuzz(func(t *testing.T, id, kind, arn, target, token string) {
		s, snapshot := newCloud(t)
		_, err := s.CreateResourceShare(call("CreateResourceShare"), &resourcesharing.CreateResourceShareRequest{
			ResourceShareName: "s", AllowExternalTargets: true,
			Entities: resourcesharing.Entities{
				Resources: []resourcesharing.ResourceParam{{ResourceId: id, ResourceType: kind}}, Targets: []string{target},
			},
		})
		answered(t, err, id == snapshot)
		_, err = s.CreateResourceShare(call("CreateResourceShare"), &resourcesharing.CreateResourceShareRequest{
			ResourceShareName: "s", Entities: resourcesharing.Entities{ResourceArns: []string{arn}},
		})
		answered(t, err, arn == "acs:ecs:"+region+":"+account+":snapshot/"+snapshot)
		_, err = s.ListResourceShareAssociations(call("ListResourceShareAssociations"), &resourcesharing.ListResourceShareAssociationsRequest{
			AssociationType: "Target", Paging: resourcesharing.Paging{NextToken: token},
		})
		answered(t, err, true)
	})
}

// answered: an error is the service's own, and success only where it may be.
func answered(t *testing.T, err error, may bool) {
	t.Helper()
	var e *wire.Error
	if err == nil && !may {
		t.Error("something that does not exist is shared")
	}
	if err != nil && (!errors.As(err, &e) || e.Status < 400 || e.Status >= 500) {
		t.Errorf("refused with %v", err)
	}
}

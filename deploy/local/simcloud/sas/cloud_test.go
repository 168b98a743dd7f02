package sas_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/sas"
	"fleetwarden/deploy/local/simcloud/wire"
)

const (
	account = "1000000000000001"
	other   = "1000000000000002"
	region  = "cn-hangzhou"
)

// everything is a RAM and a KMS in which all is well.
type everything struct{}

func (everything) RoleVisible(string, string) (exists, trustsECS bool) { return true, true }
func (everything) Enabled(string, string) bool                         { return true }
func (everything) Key(string, string, string) (found, enabled bool)    { return true, true }

// cloud is ECS and Security Center without a wire.
type cloud struct {
	testing.TB
	clock *simcloud.Clock
	ecs   *ecs.Service
	sas   *sas.Service
}

func newCloud(t testing.TB) *cloud {
	t.Helper()
	clock := simcloud.NewClock(time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC))
	w := simcloud.NewWorld(clock, []string{account, other}, []string{region, "cn-shanghai", "eu-central-1"})
	e := ecs.New(w, everything{}, everything{})
	s := sas.New(w, e)
	e.SetSecurity(s)
	return &cloud{t, clock, e, s}
}

func call(action string, asked *[]string) *wire.Call {
	return &wire.Call{
		Product: "sas", Action: action, Region: region, Caller: wire.Identity{Account: account},
		Params: map[string]string{"RegionId": region},
		Authorize: func(action, resource string, _ map[string]string) error {
			if asked != nil {
				*asked = append(*asked, action+" "+resource)
			}
			return nil
		},
	}
}

// ask calls an API and fails the test if it does.
func ask[In, Out any](c *cloud, method func(*wire.Call, *In) (*Out, error), in *In) *Out {
	c.Helper()
	out, err := method(call("X", nil), in)
	if err != nil {
		c.Fatal(err)
	}
	return out
}

func codeOf(err error) string {
	var e *wire.Error
	if !errors.As(err, &e) {
		return fmt.Sprint(err)
	}
	return e.Code
}

func (c *cloud) seed(f ecs.FleetSpec) []string {
	c.Helper()
	out, err := c.ecs.SeedFleet(f)
	if err != nil {
		c.Fatal(err)
	}
	return out.IDs
}

func (c *cloud) pass(d time.Duration) {
	c.Helper()
	if err := c.clock.Advance(c.Context(), d); err != nil {
		c.Fatal(err)
	}
}

// agent is status and sub-status of an instance, or "unknown".
func (c *cloud) agent(id string) string {
	status, sub, ok := c.sas.Agent(account, id)
	if !ok {
		return "unknown"
	}
	return status + "+" + sub
}

func (c *cloud) launch(in ecs.RunInstancesRequest) string {
	c.Helper()
	in.InstanceType, in.VSwitchId, in.SecurityGroupId = "ecs.g7.large", "vsw-local", "sg-local"
	if in.ImageId == "" {
		in.ImageId = "aliyun_3_x64_20G_uefi_alibase_20230727.vhd"
	}
	out, err := c.ecs.RunInstances(call("RunInstances", nil), &in)
	if err != nil {
		c.Fatal(err)
	}
	return out.InstanceIdSets.InstanceIdSet[0]
}

// search lists the ids that a search finds.
// api is one API with its parameters, called as the router calls it.
func api[In, Out any](s *sas.Service, method func(*wire.Call, *In) (*Out, error), in *In) func(*wire.Call) error {
	return func(c *wire.Call) error {
		mutex, err := s.Enter(c)
		if err != nil {
			return err
		}
		mutex.Lock()
		defer mutex.Unlock()
		_, err = method(c, in)
		return err
	}
}

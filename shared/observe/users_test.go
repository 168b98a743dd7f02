package observe_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/observe"
)

// RoleUsers has all instances of the cloud in each region.
func (c *cloud) RoleUsers(_ context.Context, region fleet.Region, role string) (map[string]fleet.Listing, error) {
	return c.instances, c.call("RoleUsers", string(region)+" "+role)
}

// Regions are those of the account.
func (c *cloud) Regions(_ context.Context, home fleet.Region) ([]fleet.Region, error) {
	return c.regions, c.call("Regions", string(home))
}

func TestTheUsersOfARoleAreReadWhereThePolicyIs(t *testing.T) {
	for name, regions := range map[string][]fleet.Region{"of the account": nil, "of the policy": {"cn-hangzhou", "cn-beijing"}, "of one": {"cn-hangzhou"}} {
		c := newCloud("i-1", "i-2")
		c.regions = []fleet.Region{"cn-hangzhou", "cn-beijing"}
		o := everything(c)
		o.Users, o.WantsUsers, o.UsersIn = c, func(*fleet.World) []string { return []string{"app"} }, regions
		w, err := o.Observe(t.Context(), batch("i-1"))
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"cn-hangzhou i-1", "cn-hangzhou i-2"}
		if name != "of one" {
			want = append(want, "cn-beijing i-1", "cn-beijing i-2")
		}
		var got []string
		for _, in := range w.Users["app"].V {
			if !in.Listed.Seen() || in.Ref.Scope.Account != here.Account {
				t.Errorf("got %+v", in)
			}
			got = append(got, string(in.Ref.Scope.Region)+" "+in.Ref.ID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestUsersThatCannotBeReadAreUnknownOrRetried(t *testing.T) {
	for _, api := range []string{"RoleUsers", "Regions", "none"} {
		for name, err := range map[string]error{"refused": denied, "throttled": throttled} {
			c := newCloud("i-1")
			c.fails[api] = err
			if api != "none" {
				c.regions = []fleet.Region{here.Region}
			}
			o := everything(c)
			o.Users, o.WantsUsers = c, func(*fleet.World) []string { return []string{"app"} }
			w, got := o.Observe(t.Context(), batch("i-1"))
			switch {
			case api != "none" && name == "throttled":
				if fleet.ClassOf(got) != fleet.Throttled {
					t.Errorf("%s throttled: %v", api, got)
				}
			case got != nil || w.Users["app"].Seen() || w.Users["app"].Why == "":
				t.Errorf("%s refused: %v, %+v", api, got, w)
			}
		}
	}
}

func TestTheUsersOfARoleAreReadOnce(t *testing.T) {
	c, m := newCloud("i-1"), new(observe.Memory)
	c.regions = []fleet.Region{here.Region}
	for range 2 {
		if got, err := m.Users(c).Regions(t.Context(), here.Region); err != nil || len(got) != 1 {
			t.Errorf("%v, %v", got, err)
		}
		for _, region := range []fleet.Region{"cn-hangzhou", "cn-beijing"} {
			if got, err := m.Users(c).RoleUsers(t.Context(), region, "app"); err != nil || len(got) != 1 {
				t.Errorf("%v, %v", got, err)
			}
		}
	}
	if c.calls["RoleUsers"] != 2 || c.calls["Regions"] != 1 {
		t.Errorf("%d calls, and %d for the regions", c.calls["RoleUsers"], c.calls["Regions"])
	}
}

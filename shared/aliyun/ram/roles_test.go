package ram_test

import (
	"fmt"
	"testing"

	simram "fleetwarden/deploy/local/simcloud/ram"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/ram"
	"fleetwarden/shared/fleet"
)

func TestTheTrustOfARoleIsReplacedWhole(t *testing.T) {
	b := newBench(t)
	b.build(t, "r", "p")
	const other = `{"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":["1000000000000002@ecs.aliyuncs.com"]}}],"Version":"1"}`
	if err := b.SetTrust(t.Context(), "r", other); err != nil {
		t.Fatal(err)
	}
	if got, err := b.Bare(t.Context(), "r"); err != nil || got.Trust != other || len(got.Policies) != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := b.Bare(t.Context(), "none"); err != nil || !got.Missing {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := b.SetTrust(t.Context(), "none", other); fleet.ClassOf(err) != fleet.NotFound {
		t.Errorf("got %v", err)
	}
}

func TestARoleShowsOurTagAndOthers(t *testing.T) {
	b := newBench(t)
	b.build(t, "r", "p")
	if err := b.TagRole(t.Context(), "r", fleet.TagUnused, "none"); err != nil {
		t.Fatal(err)
	}
	tags, err := b.RoleTags(t.Context(), "r")
	if err != nil || len(tags) != 2 || tags[fleet.TagManaged] != fleet.ManagedValue || tags[fleet.TagUnused] != "none" {
		t.Errorf("got %v, %v", tags, err)
	}
	if tags, err := b.RoleTags(t.Context(), "none"); tags != nil || fleet.ClassOf(err) != fleet.NotFound {
		t.Errorf("a role that is not found is not one without tags: %v, %v", tags, err)
	}
}

func TestANewVersionIsTheDefaultHoweverManyThereWere(t *testing.T) {
	b := newBench(t)
	b.build(t, "r", "p")
	p := fleet.Policy{Name: "p", Type: fleet.CustomPolicy}
	if _, err := b.Policy(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	for n := range 7 { // a policy has five versions
		want := fmt.Sprintf(`{"Version":"1","Statement":[{"Effect":"Allow","Action":"kms:Decrypt","Resource":"acs:kms:cn-hangzhou:1:key/%d"}]}`, n)
		if err := b.SetPolicy(t.Context(), "p", want); err != nil {
			t.Fatal(err)
		}
		if got, err := b.Fresh(t.Context(), p); err != nil || got != want {
			t.Errorf("version %d: got %s, %v", n, got, err)
		}
		if got, err := b.Policy(t.Context(), p); err != nil || got != want {
			t.Errorf("version %d, from memory: got %s, %v", n, got, err)
		}
	}
}

func TestADetachedPolicyIsGoneFromTheRole(t *testing.T) {
	b := newBench(t)
	b.build(t, "r", "p")
	p := fleet.Policy{Name: "p", Type: fleet.CustomPolicy}
	if err := b.DetachPolicy(t.Context(), "r", p); err != nil {
		t.Fatal(err)
	}
	if got, err := b.Role(t.Context(), "r"); err != nil || len(got.Policies) != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := b.DetachPolicy(t.Context(), "r", p); fleet.ClassOf(err) != fleet.NotFound {
		t.Errorf("again: %v", err)
	}
}

func TestATagIsTakenOffARoleAndOthersStay(t *testing.T) {
	b := newBench(t)
	b.build(t, "r", "p")
	if err := b.TagRole(t.Context(), "r", fleet.TagUnused, "none"); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time there is nothing to take
		if err := b.UntagRole(t.Context(), "r", fleet.TagUnused); err != nil {
			t.Fatal(err)
		}
		tags, err := b.RoleTags(t.Context(), "r")
		if err != nil || len(tags) != 1 || tags[fleet.TagManaged] != fleet.ManagedValue {
			t.Errorf("got %v, %v", tags, err)
		}
	}
	if err := b.UntagRole(t.Context(), "none", fleet.TagUnused); fleet.ClassOf(err) != fleet.NotFound {
		t.Errorf("got %v", err)
	}
}

// Whichever reading of lists the service has, a role of ours is known as ours, or the call
// fails: it is never taken for one without tags.
func TestTagsAreReadOrRefusedWhicheverReadingOfListsRAMHas(t *testing.T) {
	for _, lists := range []simram.TagLists{simram.AnyList, simram.JSONLists, simram.NumberedLists} {
		srv, err := server.New(server.Options{TagLists: lists})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := srv.Close(); err != nil {
				t.Error(err)
			}
		})
		c := ram.New(newSession(t, srv.URL(), aliyun.Keys{AccessKeyID: "local-ak", AccessKeySecret: "local-sk"}))
		if err := c.CreateRole(t.Context(), "r", trust, ""); err != nil {
			t.Fatal(err)
		}
		set := c.TagRole(t.Context(), "r", "a", "b")
		tags, err := c.RoleTags(t.Context(), "r")
		shown := tags[fleet.TagManaged] == fleet.ManagedValue && tags["a"] == "b"
		if lists == simram.NumberedLists {
			if set == nil {
				t.Errorf("%s: a tag that is not read was taken: %v", lists, set)
			}
			continue
		}
		if set != nil || err != nil || !shown || len(tags) != 2 {
			t.Errorf("%s: %v, %v, %v", lists, set, tags, err)
		}
		if err := c.UntagRole(t.Context(), "r", "a"); err != nil {
			t.Errorf("%s: %v", lists, err)
		}
	}
}

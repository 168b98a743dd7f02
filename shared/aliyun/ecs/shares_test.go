package ecs_test

import (
	"fmt"
	"slices"
	"testing"

	simecs "fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/fleet"
)

func TestRegionsAreThoseOfTheAccount(t *testing.T) {
	got, err := newBench(t).Regions(t.Context(), region)
	if err != nil || !slices.Contains(got, region) || !slices.Contains(got, fleet.Region(server.Another)) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestEncryptionsAreReadByTheHundred(t *testing.T) {
	b := newBench(t)
	key, err := b.KMS.AddKey(server.Sharer, server.Home, "alias/a")
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := b.ECS.SeedSnapshots(simecs.SnapshotSpec{Key: "alias/a", Count: 150})
	if err != nil {
		t.Fatal(err)
	}
	open, err := b.ECS.SeedSnapshots(simecs.SnapshotSpec{Count: 1})
	if err != nil {
		t.Fatal(err)
	}
	got, err := b.Encryptions(t.Context(), region, append(slices.Clone(sealed), open[0], "s-none"))
	if err != nil || len(got) != 151 {
		t.Fatalf("%d of them, %v", len(got), err)
	}
	if e := got[sealed[149]]; !e.Encrypted || e.Key != key.ID {
		t.Errorf("got %+v", e)
	}
	if e, ok := got[open[0]]; !ok || e.Encrypted {
		t.Errorf("got %+v", e)
	}
	if n := b.session.Calls()["ecs:DescribeSnapshots"]["ok"]; n != 2 {
		t.Errorf("%d calls", n)
	}
}

func TestOwnImagesAreReadToTheEndWithTheirSharees(t *testing.T) {
	b := newBench(t)
	if _, err := b.KMS.AddKey(server.Sharer, server.Home, "alias/a"); err != nil {
		t.Fatal(err)
	}
	plain, err := b.ECS.SeedImages(simecs.ImageSpec{Count: 120})
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := b.ECS.SeedImages(simecs.ImageSpec{Key: "alias/a", SharedWith: []string{server.Sharee, server.Member}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := b.OwnImages(t.Context(), region)
	if err != nil || len(got) != 121 {
		t.Fatalf("%d of them, %v", len(got), err)
	}
	for _, image := range got {
		ours := image.ID == sealed[0].ID
		if image.Shared != ours || (len(image.Sealed) > 0) != ours {
			t.Errorf("got %+v", image)
		}
	}
	accounts, err := b.ImageSharees(t.Context(), region, sealed[0].ID)
	slices.Sort(accounts)
	if err != nil || fmt.Sprint(accounts) != fmt.Sprint([]string{server.Sharee, server.Member}) {
		t.Errorf("got %v, %v", accounts, err)
	}
	if accounts, err := b.ImageSharees(t.Context(), region, plain[0].ID); err != nil || len(accounts) != 0 {
		t.Errorf("got %v, %v", accounts, err)
	}
}

package ecs_test

import (
	"errors"
	"testing"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/wire"
)

func FuzzWhatACallNamesIsReadOrRefused(f *testing.F) {
	f.Add("i-local000000000000001", "", "2026-01-05T00:00Z")
	f.Add("i", "cGxhY2U6MQ", "")
	f.Add("", "cGxhY2U6LTE", "yesterday")
	f.Add("{}", "place:1", "2026-13-05T00:00Z")
	s := newECS()
	seed(f, s, ecs.FleetSpec{Count: 30})
	f.Fuzz(func(t *testing.T, id, token, since string) {
		in := &ecs.DescribeInstancesRequest{InstanceIds: []string{id}, NextToken: token, MaxResults: 10, Filter1Key: "CreationStartTime", Filter1Value: since}
		out, err := s.DescribeInstances(call("DescribeInstances", nil), in)
		if err != nil {
			var e *wire.Error
			if !errors.As(err, &e) || e.Status != 400 {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if n := len(out.Instances.Instance); n > 10 {
			t.Fatalf("a page of 10 holds %d", n)
		}
	})
}

func BenchmarkDescribeInstancesPage(b *testing.B) {
	s := newECS()
	seed(b, s, ecs.FleetSpec{Count: 100_000})
	c := call("DescribeInstances", nil)
	in := &ecs.DescribeInstancesRequest{MaxResults: 100}
	for b.Loop() {
		out, err := s.DescribeInstances(c, in)
		if err != nil {
			b.Fatal(err)
		}
		in.NextToken = out.NextToken
	}
}

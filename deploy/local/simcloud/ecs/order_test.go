package ecs_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud/ecs"
)

func TestInvocationsAreListedInEitherOrderWithoutGaps(t *testing.T) {
	for _, newest := range []bool{false, true} {
		x := newAssisted(t)
		x.SetNewestFirst(newest)
		id := seed(t, x.Service, ecs.FleetSpec{Count: 1})[0]
		var want []string
		for range 25 {
			want = append(want, x.mustRun(ecs.RunCommandRequest{}, id))
		}
		if newest {
			slices.Reverse(want)
		}
		if diff := cmp.Diff(want, x.invocations(4)); diff != "" {
			t.Errorf("newest first %t: invocations: %s", newest, diff)
		}
	}
}

// invocations lists all invocations, some a page.
func (x *assisted) invocations(page int) (ids []string) {
	x.Helper()
	in := &ecs.DescribeInvocationsRequest{CommandPaging: ecs.CommandPaging{MaxResults: page}}
	for {
		out, err := x.DescribeInvocations(call("D", nil), in)
		if err != nil || len(out.Invocations.Invocation) > page {
			x.Fatalf("a page of %d: %v", len(out.Invocations.Invocation), err)
		}
		for _, v := range out.Invocations.Invocation {
			ids = append(ids, v.InvokeId)
		}
		if in.NextToken = out.NextToken; in.NextToken == "" {
			return ids
		}
	}
}

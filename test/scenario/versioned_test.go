package scenario_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/stack"
	"fleetwarden/deploy/local/stage"
)

// A bucket that has, or ever had, versioning writes over what must stay as it is. Each
// function notices by its own first write, and ends before it changes anything.
func TestALedgerInABucketWithVersioningChangesNothing(t *testing.T) {
	t.Parallel()
	for _, states := range [][]string{{"Enabled"}, {"Enabled", "Suspended"}} {
		t.Run(fmt.Sprint(states), func(t *testing.T) {
			t.Parallel()
			s := everydayFleet(t, stage.Options{})
			for _, state := range states {
				if err := s.Server.OSS.SetVersioning(stack.Bucket, state); err != nil {
					t.Fatal(err)
				}
			}
			bare := old(t, s.Stage, "-")
			lacking(t, s.Stage, ecs.FleetSpec{Count: 1})
			if _, err := night(s.Stage); err == nil || !strings.Contains(err.Error(), "versioning") {
				t.Errorf("the sweep ended with %v", err)
			}
			// The platform goes back to a window for a day: this long is enough for each function.
			ctx, stop := soon()
			defer stop()
			if err := s.Advance(ctx, 15*time.Minute); err != nil {
				t.Fatal(err)
			}

			for _, e := range s.Server.Log.Since(0) {
				function, ours := strings.CutPrefix(e.Caller, "fleetwarden-")
				if !ours || reads(e) || !carriedOut(e.Code) {
					continue
				}
				// Re-queued and dead letters, and a refresh of Security Center, change nothing.
				if !slices.Contains([]string{"mns", "oss", "sts"}, e.Product) && e.Action != "RefreshAssets" {
					t.Errorf("%s called %s:%s", function, e.Product, e.Action)
				}
			}
			if roles, err := s.Roles(t.Context(), "cn-hangzhou", bare); err != nil || roles[bare] != "" {
				t.Errorf("the instance has the role %q, %v", roles[bare], err)
			}
			for _, function := range []string{"attach-role", "push-agent", "setup-share-role", "sweep"} {
				ended := 0
				for _, i := range s.Stack.Invocations() {
					if i.Function == function {
						if strings.Contains(i.Error, "versioning") {
							ended++
						}
					}
				}
				if ended == 0 || count(s.Stage, function, "oss:PutObject", carriedOut) == 0 {
					t.Errorf("%s: %d invocations ended with the error, after %d writes into the bucket", function, ended, count(s.Stage, function, "oss:PutObject", carriedOut))
				}
			}
		})
	}
}

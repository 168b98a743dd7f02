// Command doctor is the function doctor. A timer has it examine the deployment each week, and
// an operator may invoke it with any payload: the examination is the same. It may read, and
// nothing else; what is not as it was deployed becomes findings, like those of the controls.
package main

import (
	"context"
	"fmt"
	"time"

	"fleetwarden/shared/fcrun"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/operate/doctor"
	"fleetwarden/shared/operate/doctor/clients"
	"fleetwarden/shared/reconcile"
)

func main() { fcrun.Start(invocation.Function{Name: fleet.FunctionDoctor, Handle: handle}) }

// limit leaves a part of the function's 60 seconds for what it writes.
const limit = 45 * time.Second

func handle(ctx context.Context, inv *invocation.Invocation) (fleet.Pass, error) {
	recorder := reconcile.NewRecorder(inv.Options)
	reads := clients.Of(inv, true)
	reads.Inside, reads.Limit = true, limit
	page := doctor.Examine(ctx, reads)
	recorder.Add(fleet.Pass{Refs: len(page.Results()), Outcomes: map[fleet.Outcome]int{fleet.Passes: page.Count(doctor.OK)}})
	for _, v := range page.Findings() {
		if err := recorder.Finding(v); err != nil {
			return recorder.Sum(), fmt.Errorf("writing a finding: %w", err)
		}
	}
	return recorder.Sum(), nil
}

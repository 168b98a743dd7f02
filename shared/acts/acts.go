// Package acts has what the packages below it share: the form of an act, and how one write is
// settled whose answer or effect does not show.
package acts

import (
	"context"
	"time"

	"fleetwarden/shared/fleet"
)

// Act carries out changes of one kind in one scope, and returns a result for each, in order.
type Act = func(context.Context, fleet.Scope, []fleet.Change) []fleet.Result

// Propagation is the delay before RAM is expected to show a write, and ECS a new role. RAM is
// eventually consistent and publishes no time.
const Propagation = 10 * time.Second

// Each returns the act that carries out changes one by one.
func Each(do func(context.Context, fleet.Change) fleet.Result) Act {
	return func(ctx context.Context, _ fleet.Scope, cs []fleet.Change) []fleet.Result {
		out := make([]fleet.Result, len(cs))
		for i, c := range cs {
			out[i] = do(ctx, c)
		}
		return out
	}
}

// MaybeDone reports whether a failed write may have taken effect: it was in place already,
// or its answer was lost. Reading back decides.
func MaybeDone(err error) bool {
	c := fleet.ClassOf(err)
	return c == fleet.Exists || c == fleet.Lost
}

// Unseen settles a possible write that RAM does not show. Another caller may have made it: so
// it is checked again, whatever the read's error.
func Unseen(c fleet.Change, doing string, answer, readErr error) fleet.Result {
	res := fleet.Unseen(c, doing, answer, readErr)
	if answer != nil {
		res.State = fleet.Later
	}
	res.Again = Propagation
	return res
}

// PolicyNamed is a policy of Fleetwarden's own, unless its name is that of one of Alibaba
// Cloud's.
func PolicyNamed(name string) fleet.Policy {
	switch name {
	case "AliyunSysTrustFullAccess", "AliyunKMSFullAccess":
		return fleet.Policy{Name: name, Type: fleet.SystemPolicy}
	}
	return fleet.Policy{Name: name, Type: fleet.CustomPolicy}
}

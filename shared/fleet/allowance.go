package fleet

import "time"

// Allowance is a part of what one control may do to workloads in one account and region
// within an hour: see policy's limits.maxPerHour.
type Allowance struct {
	// ID is the allowance's own, given by the ledger.
	ID      string
	Scope   Scope
	Control string
	// At is the cloud's time at which it was asked for, and from which it counts for an hour.
	At time.Time
	// N is how many changes it lets through.
	N int
	// Free is when the next change is possible, where fewer were let through than asked
	// for; zero if never.
	Free time.Time
}

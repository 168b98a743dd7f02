package canary

import "time"

// conclude says of each leg what it came to.
func (f *Flight) conclude(patience time.Duration) {
	f.Success = true
	longest, took := -1, time.Duration(-1)
	for i := range f.Legs {
		l := &f.Legs[i]
		switch {
		case l.State == "" && l.Why != "":
			l.State = Unread
		case l.State == "" && l.Source == SourceHistory && f.Optional(*l):
			l.State, l.Why = Unread, "not shown yet; that the functions have the event proves that the call was recorded"
		case l.State == "" && f.Optional(*l):
			l.State, l.Why = Unread, "EventBridge shows what became of an event by its id, which only the functions' records name, and does not keep it for ever"
		case l.State == "":
			l.State, l.Why = Missing, "not there after "+patience.String()+": "+advice(*l)
		case l.State == Seen && l.after >= 0:
			first, before := f.Legs[f.first(l)], f.Legs[l.after]
			if before.State != Seen {
				before = first
			}
			l.DelayMS = max(0, l.At.Sub(first.At)).Milliseconds()
			if d := l.At.Sub(before.At); d > took {
				longest, took = i, d
			}
		}
		f.Success = f.Success && (l.State == Seen || f.Optional(*l))
	}
	if longest >= 0 {
		f.Legs[longest].Longest = true
	}
}

// advice is what to check where a leg is missing.
func advice(l Leg) string {
	switch {
	case l.Source == SourceHistory:
		return "ActionTrail did not record the call, or shows it later"
	case l.message:
		return "see the inbox, its trigger and the function: fleetwarden doctor --category functions,events,queues"
	}
	return "a trail logs, and the rule of launches or the function did not take the event: fleetwarden doctor --category functions,events"
}

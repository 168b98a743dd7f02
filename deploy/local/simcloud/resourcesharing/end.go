package resourcesharing

import (
	"fleetwarden/deploy/local/simcloud"
)

// end takes associations out of their share, and says so when it is done. The
// caller holds the mutex.
func (s *Service) end(parts []*association) {
	type pair struct{ a, b *association }
	var pairs []pair
	for _, a := range parts {
		if a.status == associated {
			for _, o := range a.share.with(!a.target, associated) {
				pairs = append(pairs, pair{a, o})
			}
		}
		s.cancel(a)
		s.set(a, disassociating, "")
	}
	s.later(func() (events []simcloud.Event) {
		for _, a := range parts {
			if a.status == disassociating {
				s.set(a, disassociated, "")
			}
		}
		for _, p := range pairs {
			events = append(events, s.events(p.a, p.b, "Disassociate")...)
		}
		return events
	})
}

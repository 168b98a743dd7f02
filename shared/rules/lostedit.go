package rules

import (
	"fmt"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/rampolicy"
)

// gap is how long before our own write somebody else's may have gone unseen: we read the
// role right before we write it, and records count whole seconds.
const gap = 5 * time.Second

// lostEdit reports what somebody else wrote into the role's trust just before we did, and
// what does not stand there now: RAM has no compare-and-set, and our write replaced it
// unread. Only what is missing is told; that somebody took something away, and we put it
// back, share-trust and take-back judge as ever. Nothing is changed here: whether the
// edit is still wanted, its author knows.
func lostEdit(s *share) fleet.Verdict {
	edits := s.side.Edits
	switch {
	case s.trust == nil:
		return fleet.Verdict{} // share-trust has said why, or there is no role
	case edits.Why != "":
		return undecided("whether an edit of the role " + s.roleName() + " was lost could not be read: " + edits.Why)
	}
	judged := false
	for _, ours := range edits.V {
		if !ours.Ours {
			continue
		}
		judged = true
		for _, e := range edits.V {
			if before := ours.At.Sub(e.At); !e.Ours && before >= 0 && before <= gap && !s.stands(e.Trust) {
				return s.lost(e)
			}
		}
	}
	if !judged {
		return fleet.Verdict{} // we wrote nothing lately
	}
	return passes("our last change of the role's trust replaced nobody's edit", observed("role", s.roleName()))
}

// stands reports whether all that a document says stands in the role's now. Of one that
// cannot be read it is not certain.
func (s *share) stands(doc string) bool {
	t, err := rampolicy.ParseTrust(doc)
	return err == nil && s.trust.Holds(t)
}

func (s *share) lost(e fleet.TrustEdit) fleet.Verdict {
	at := e.At.UTC().Format(time.RFC3339)
	return violation(fleet.High, fmt.Sprintf("somebody changed the trust policy of the role %s at %s, in the moment before we wrote it, and the change is lost", s.roleName(), at),
		"if it is still wanted, add what is missing of it to the role's trust policy: "+e.Trust, observed("lost edit", at))
}

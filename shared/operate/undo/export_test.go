package undo

import "fleetwarden/shared/fleet"

// Ref is what was changed.
func (i *Item) Ref() fleet.Ref { return i.ref }

// Change is the change that puts it back; false when nothing should.
func (i *Item) Change() (fleet.Change, bool) {
	if i.Why != "" || i.Since != nil {
		return fleet.Change{}, false
	}
	return i.back(i.To), true
}

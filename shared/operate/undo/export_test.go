package undo

import "fleetwarden/shared/fleet"

// Ref is the resource that was changed.
func (i *Item) Ref() fleet.Ref { return i.ref }

// Change is the change that restores it; false if none should.
func (i *Item) Change() (fleet.Change, bool) {
	if i.Why != "" || i.Since != nil {
		return fleet.Change{}, false
	}
	return i.back(i.To), true
}

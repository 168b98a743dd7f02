package policy

import "slices"

// ModeOf returns the mode of a control by its id; an unknown control is off.
func (p *Policy) ModeOf(control string) Mode {
	if c := p.control(control); c != nil {
		return c.Mode
	}
	return Off
}

// Only returns p with all controls but these switched off; without any it is p.
func (p *Policy) Only(controls []string) *Policy {
	if len(controls) == 0 {
		return p
	}
	only := *p
	for _, c := range Controls() {
		if !slices.Contains(controls, c) {
			only.control(c).Mode = Off
		}
	}
	return &only
}

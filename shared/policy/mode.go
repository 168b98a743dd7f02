package policy

// ModeOf returns the mode of a control by its id; an unknown control is off.
func (p *Policy) ModeOf(control string) Mode {
	if c := p.control(control); c != nil {
		return c.Mode
	}
	return Off
}

package policy

// ModeOf returns the mode of a control by its id; a control that the policy does
// not know is off.
func (p *Policy) ModeOf(control string) Mode {
	switch control {
	case ControlTrustedInstance:
		return p.TrustedInstance.Mode
	case ControlInstanceRole:
		return p.InstanceRole.Mode
	case ControlAgent:
		return p.Agent.Mode
	case ControlShareRole:
		return p.ShareRole.Mode
	}
	return Off
}

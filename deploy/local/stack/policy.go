package stack

import "cmp"

// policyVariable names the policy file to a function.
const policyVariable = "FLEETWARDEN_POLICY"

// Policy is the policy file that the functions were first deployed with.
func (s *Stack) Policy() string { return s.o.Policy }

// UsePolicy deploys another policy file with all functions; an empty path deploys the one
// of the options again. It fails while any function is at work.
func (s *Stack) UsePolicy(path string) error {
	path = cmp.Or(path, s.o.Policy)
	if err := s.runtime.Reconfigure(policyVariable, path); err != nil {
		return err
	}
	s.using.Store(&path)
	s.api.Reread()
	return nil
}

// policy is the file that the functions carry now.
func (s *Stack) policy() string {
	if path := s.using.Load(); path != nil {
		return *path
	}
	return s.o.Policy
}

package stack

import (
	"cmp"

	"fleetwarden/deploy/local/fc"
)

// Invocations returns all invocations so far, in the order of their start, with the
// short names of functions.
func (s *Stack) Invocations() []fc.Invocation {
	all := s.runtime.Invocations()
	for n, i := range all {
		all[n].Function = cmp.Or(s.short[i.Function], i.Function) // others are made through the API
	}
	return all
}

// cloudName is the name in Function Compute, and in the runtime, of a function that has
// the short name of its resource everywhere else; the name itself if there is none.
func (s *Stack) cloudName(function string) string {
	for cloud, short := range s.short {
		if short == function {
			return cloud
		}
	}
	return function
}

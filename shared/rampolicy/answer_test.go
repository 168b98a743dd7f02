package rampolicy

// String is the answer in the words of the tests.
func (a Answer) String() string { return [...]string{"denied", "unsure", "allowed"}[a] }

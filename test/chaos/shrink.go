package main

// Shrink takes steps out of a history for as long as what is left still ends badly: halves
// first, then quarters, down to single steps. bad plays a history; it returns false also when
// there is no time left.
func Shrink(h History, bad func(History) bool) History {
	for size := (len(h.Steps) + 1) / 2; size > 0 && len(h.Steps) > 0; {
		smaller, found := without(h, size, bad)
		switch {
		case found:
			h = smaller
			size = min(size, (len(h.Steps)+1)/2)
		default:
			size /= 2
		}
	}
	return h
}

// without tries to take size steps out at once, the last first: what comes late matters least.
func without(h History, size int, bad func(History) bool) (History, bool) {
	for end := len(h.Steps); end > 0; end -= size {
		less := h
		start := max(0, end-size)
		less.Steps = append(append([]Step{}, h.Steps[:start]...), h.Steps[end:]...)
		if bad(less) {
			return less, true
		}
	}
	return h, false
}

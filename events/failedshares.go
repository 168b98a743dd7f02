package events

import (
	"cmp"
	"slices"

	"fleetwarden/shared/fleet"
)

// maxFailed is how many bytes the failed shares of one look may come to: a message has
// 64 KiB for all that it says. A hundred shares with ten accounts each have room.
const maxFailed = 32 << 10

func failed(c *fleet.Call) bool { return len(c.FailedShares()) > 0 }

// both is the later of two calls with failed shares, with the failed
// shares of both, each with its image and its accounts. What was asked for twice stands
// once. Of more than fit, the oldest are left out: a share that is tried again comes again.
func both(a, b *fleet.Call) *fleet.Call {
	if b.Time < a.Time {
		a, b = b, a
	}
	kept := fitting(newestFirst(slices.Concat(a.FailedShares(), b.FailedShares())))
	if len(kept) == 0 {
		return b
	}
	call := *b
	call.Time, call.ErrorCode = kept[0].Time, kept[0].Code
	call.Share = &fleet.Share{ImageID: kept[0].ImageID, Add: kept[0].Accounts, Also: kept[1:]}
	return &call
}

// newestFirst sorts shares, each once and with the time it was last asked for. Times are
// compared as text, which for RFC 3339 in UTC is in their order.
func newestFirst(all []fleet.FailedShare) []fleet.FailedShare {
	slices.SortFunc(all, func(x, y fleet.FailedShare) int {
		return cmp.Or(-cmp.Compare(x.Time, y.Time), cmp.Compare(x.ImageID, y.ImageID), slices.Compare(x.Accounts, y.Accounts))
	})
	var out []fleet.FailedShare
	for _, f := range all {
		if !slices.ContainsFunc(out, f.Same) {
			out = append(out, f)
		}
	}
	return out
}

// fitting leaves out what has no room beside those before it.
func fitting(all []fleet.FailedShare) []fleet.FailedShare {
	var out []fleet.FailedShare
	room := maxFailed
	for _, f := range all {
		if n := size(f); n <= room && len(out) < fleet.MaxBatch {
			out, room = append(out, f), room-n
		}
	}
	return out
}

// size is about how many bytes a failed share has in a message.
func size(f fleet.FailedShare) int {
	n := len(`{"imageId":"","accounts":[],"time":"","code":""},`) + written(f.ImageID) + written(f.Time) + len(f.Code)
	for _, id := range f.Accounts {
		n += len(`"",`) + len(id)
	}
	return n
}

// written is how many bytes a text takes at the most in JSON, where what is neither a
// letter nor a digit may be escaped.
func written(s string) int {
	n := 0
	for i := range len(s) {
		switch c := s[i]; {
		case nameByte(c), c == ':':
			n++
		default:
			n += len(`\u0000`)
		}
	}
	return n
}

package fleet

import "slices"

// FailedShare is what a request claimed that failed for want of the share role: an
// image, and the accounts it was to be shared with.
type FailedShare struct {
	// ImageID is empty when the record did not name the image.
	ImageID string `json:"imageId,omitempty"`
	// Accounts are sorted, each once.
	Accounts []AccountID `json:"accounts,omitempty"`
	// Time is that of the request's record, as it was written there.
	Time string `json:"time,omitempty"`
}

// Same reports whether two requests asked for the same, whenever that was.
func (f FailedShare) Same(o FailedShare) bool {
	return f.ImageID == o.ImageID && slices.Equal(f.Accounts, o.Accounts)
}

// FailedShares are the shares that failed for want of the share role: that of the call
// itself, and those that joined it. Each keeps its own accounts: an account that was
// named with one image has no part in another. There are none of a call that did not
// fail so; c may be nil.
func (c *Call) FailedShares() []FailedShare {
	if c == nil || c.Share == nil || c.ErrorCode != AssumeRoleError {
		return nil
	}
	out := append([]FailedShare{{ImageID: c.Share.ImageID, Accounts: c.Share.Add, Time: c.Time}}, c.Share.Also...)
	for i := range out {
		accounts := slices.Clone(out[i].Accounts)
		slices.Sort(accounts)
		out[i].Accounts = slices.Compact(accounts)
	}
	return out
}

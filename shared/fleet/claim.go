package fleet

import (
	"cmp"
	"slices"
)

// ShareFailure is why ECS refused to share an image. It is read from the code of the
// answer; the codes are those of the error table of ModifyImageSharePermission
// (https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-modifyimagesharepermission,
// of 2025-04-29), with its spelling. Rows about a malformed request or about community
// images are left out.
type ShareFailure uint8

// The kinds of ShareFailure. The zero value is a code of none of the rows.
const (
	NoShareFailure ShareFailure = iota
	// LacksRights: the share role is missing, does not trust the sharee, or may not use or
	// tag the key. A grant lets the same call succeed. No other row is healed by one.
	LacksRights
	// KeyNotEnabled: the key is disabled or to be deleted.
	KeyNotEnabled
	// ServiceKeyEncrypted: encrypted with the key that ECS made for itself.
	ServiceKeyEncrypted
	// FullImage: an encrypted image of more than one disk.
	FullImage
	// EncryptedSnapshot: the image holds encrypted snapshots, and this way of sharing it
	// takes none.
	EncryptedSnapshot
	// DeprecatedImage: the image is marked as deprecated.
	DeprecatedImage
	// OtherSite: the sharee is an account of the other site (China, International).
	OtherSite
	// ShareQuota: too many shared images, or too many sharees of one.
	ShareQuota
)

// ShareFailureOf returns the row of a code.
func ShareFailureOf(code string) ShareFailure {
	switch code {
	case AssumeRoleError, "InvalidParameter.KMSKeyId.CMKUnauthorized", "InvalidParameter.KMSKeyId.KMSUnauthorized":
		return LacksRights
	case "InvalidParameter.KMSKeyId.CMKNotEnabled":
		return KeyNotEnabled
	case "InvalidOperation.ServiceKeyEncryptedImageUnsupported", "InvalidOperation.ServiceKeyEncryptedSnapshotUnsupported":
		return ServiceKeyEncrypted
	case "OperationDeined.FullImage":
		return FullImage
	case "OperationDeined.EncryptedSnapshot":
		return EncryptedSnapshot
	case "OperationDenied.InvalidImageStatus":
		return DeprecatedImage
	case "InvalidImageId.BidMismatch":
		return OtherSite
	case "QuotaExceed.ShareImage", "QuotaExceed.ShareImageUser":
		return ShareQuota
	}
	return NoShareFailure
}

// FailedShare is what a request claimed that ECS refused with a code of [ShareFailureOf]:
// an image, and the accounts it was to be shared with.
type FailedShare struct {
	// ImageID is empty when the record did not name the image.
	ImageID string `json:"imageId,omitempty"`
	// Accounts are sorted, each once.
	Accounts []AccountID `json:"accounts,omitempty"`
	// Time is that of the request's record, as it was written there.
	Time string `json:"time,omitempty"`
	// Code is the error code. Messages written before there were several leave it out; it
	// was [AssumeRoleError] then.
	Code string `json:"code,omitempty"`
}

// Failure is the row of the share's code.
func (f FailedShare) Failure() ShareFailure { return ShareFailureOf(f.Code) }

// Same reports whether two requests asked for the same, whenever that was, and however
// they failed.
func (f FailedShare) Same(o FailedShare) bool {
	return f.ImageID == o.ImageID && slices.Equal(f.Accounts, o.Accounts)
}

// FailedShares are the shares that failed with a code of [ShareFailureOf]: that of the
// call itself, and those that joined it. Each keeps its own accounts: an account that was
// named with one image has no part in another. c may be nil.
func (c *Call) FailedShares() []FailedShare {
	if c == nil || c.Share == nil || ShareFailureOf(c.ErrorCode) == NoShareFailure {
		return nil
	}
	all := append([]FailedShare{{ImageID: c.Share.ImageID, Accounts: c.Share.Add, Time: c.Time, Code: c.ErrorCode}}, c.Share.Also...)
	out := make([]FailedShare, 0, len(all))
	for _, f := range all {
		f.Code = cmp.Or(f.Code, AssumeRoleError)
		if f.Failure() == NoShareFailure {
			continue
		}
		f.Accounts = slices.Clone(f.Accounts)
		slices.Sort(f.Accounts)
		f.Accounts = slices.Compact(f.Accounts)
		out = append(out, f)
	}
	return out
}

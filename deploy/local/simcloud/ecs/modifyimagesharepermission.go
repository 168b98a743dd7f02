package ecs

import (
	"cmp"
	"slices"
	"strings"

	"fleetwarden/deploy/local/simcloud/wire"
)

// Limits of sharing an image, of the API's page.
const (
	mostAccountsACall  = 10 // further ones are ignored without an error
	mostAccountsShared = 50
)

// ModifyImageSharePermissionRequest are the parameters of
// ModifyImageSharePermission; LaunchPermission is not served.
type ModifyImageSharePermissionRequest struct {
	ImageId                   string
	AddAccount, RemoveAccount []string
	IsPublic                  *bool
	DryRun                    bool
}

// ModifyImageSharePermission shares an image of one's own with accounts, takes
// shares back, or makes it a community image. All is done or nothing (assumed).
// Documented: it is asked for as image/<id>.
func (s *Service) ModifyImageSharePermission(c *wire.Call, in *ModifyImageSharePermissionRequest) (*Empty, error) {
	sp := s.at(c)
	c.Refer("ACS::ECS::Image", in.ImageId)
	img := sp.images.Get(in.ImageId)
	if img == nil {
		return nil, noImage(in.ImageId)
	}
	add, remove := first(in.AddAccount), first(in.RemoveAccount)
	err := cmp.Or(
		checkAccounts(sp.account, slices.Concat(add, remove)),
		img.publish(in.IsPublic, len(add)+len(remove) > 0),
		s.checkShare(img, add, remove),
	)
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		return nil, dryRun()
	}
	img.unshare(remove)
	for _, a := range add {
		if !img.sharedBy(a) {
			img.shares = append(img.shares, imageShare{a, c.Now})
		}
	}
	if in.IsPublic != nil {
		img.community = *in.IsPublic
	}
	return &Empty{}, nil
}

// first is what of a list of accounts is looked at.
func first(accounts []string) []string {
	return accounts[:min(len(accounts), mostAccountsACall)]
}

// checkAccounts: 404 InvalidAccount.NotFound and InvalidAccount.Forbbiden, with
// this spelling, are in the error table. Any number of 16 digits is taken for an
// account (assumed).
func checkAccounts(self string, accounts []string) error {
	for _, a := range accounts {
		if !isAccount(a) {
			return wire.Errorf(404, "InvalidAccount.NotFound", `The specified account %s in parameter "AddAccount.n" or "RemoveAccount.n" does not exist.`, a)
		}
		if a == self {
			return wire.Errorf(404, "InvalidAccount.Forbbiden", "The specified Account does not yourself.")
		}
	}
	return nil
}

func isAccount(id string) bool {
	return len(id) == 16 && strings.Trim(id, "0123456789") == ""
}

// publish checks IsPublic; the codes are in the error table. false does nothing
// where accounts are given (assumed).
func (i *image) publish(public *bool, accounts bool) error {
	switch {
	case public == nil || (!*public && accounts):
		return nil
	case *public && accounts:
		return wire.Errorf(403, "InvalidParameter.IsPublic", "The specified parameter IsPublic is conflicted with other parameters.")
	case *public && i.community:
		return wire.Errorf(403, "Image.Public", "The specified image is public image.")
	case *public && i.encrypted() != nil:
		return wire.Errorf(403, "OperationDeined.EncryptedSnapshot", "The image contains encrypted snapshots, which do not support share.")
	case !*public && !i.community:
		return wire.Errorf(403, "Image.NotPublic", "The specified image is not public image.")
	}
	return nil
}

// checkShare: all codes are in the error table, but that
// IncorrectImageStatus is for an image that is being made. The caller holds the
// mutex.
func (s *Service) checkShare(img *image, add, remove []string) error {
	if len(add) == 0 {
		return nil
	}
	if img.pending {
		return wire.Errorf(403, "IncorrectImageStatus", "The specified image is not available.")
	}
	if m := img.encrypted(); m != nil {
		if err := s.checkEncryptedShare(img, m, add); err != nil {
			return err
		}
	}
	after := 0
	for _, x := range img.shares {
		if !slices.Contains(remove, x.account) && !slices.Contains(add, x.account) {
			after++
		}
	}
	if after+len(unique(slices.Clone(add))) > mostAccountsShared {
		return wire.Errorf(403, "QuotaExceed.ShareImageUser", "The shared Image user Quota exceeds.")
	}
	return nil
}

func (s *Service) checkEncryptedShare(img *image, m *mapping, add []string) error {
	if len(img.mappings) > 1 {
		return wire.Errorf(403, "OperationDeined.FullImage", "The encrypted image contains multiple snapshots, which do not support share.")
	}
	for _, a := range add {
		d := s.access.Deny(Grant{ImageKind, img.owner, img.region, m.key, a})
		if d != nil {
			return d.image()
		}
	}
	return nil
}

// image is how ModifyImageSharePermission answers a denial. Its table has
// AssumeRoleError for the role, CMKUnauthorized for a key that may not be tagged;
// KMSUnauthorized, with the text that it has elsewhere, for the use of the key is assumed.
func (d *Denial) image() error {
	switch d.Cause {
	case KeyOfService:
		return wire.Errorf(403, "InvalidOperation.ServiceKeyEncryptedImageUnsupported",
			"The specified service key encrypted image is not supported for this operation. Please switch to a CMK (Customer Master Key) encrypted image and retry.")
	case KeyUnusable:
		return wire.Errorf(403, "InvalidParameter.KMSKeyId.CMKNotEnabled", "The CMK (Customer Master Key) must be in an active state.")
	case NoTags:
		return wire.Errorf(403, "InvalidParameter.KMSKeyId.CMKUnauthorized", "The CMK(Customer Master Key) lacks authorization to add tags to the ECS service.")
	case NotAllowed:
		return wire.Errorf(403, "InvalidParameter.KMSKeyId.KMSUnauthorized", "ECS service have no right to access your KMS. (simcloud: %s)", d.Why)
	default:
		return wire.Errorf(403, "AssumeRoleError",
			"Requires a RAM role of AliyunECSShareEncryptImageDefaultRole before sharing encrypted image. (simcloud: %s)", d.Why)
	}
}

// unshare takes shares away; accounts that have none are no error (assumed).
func (i *image) unshare(accounts []string) {
	i.shares = slices.DeleteFunc(i.shares, func(x imageShare) bool { return slices.Contains(accounts, x.account) })
}

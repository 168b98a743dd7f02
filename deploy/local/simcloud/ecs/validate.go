package ecs

import (
	"cmp"
	"slices"

	"fleetwarden/deploy/local/simcloud/wire"
)

// The network that every account has in every region.
const (
	localVPC     = "vpc-local"
	localVSwitch = "vsw-local"
	localGroup   = "sg-local"
)

// zoneOf is the one zone of a region.
func zoneOf(region string) string { return region + "-b" }

// prepare checks a launch in the order network, type, image, disks, options,
// role and makes its plan. Nothing is launched.
func (s *Service) prepare(c *wire.Call, sp *space, l *launch) (*plan, error) {
	if err := l.resolve(); err != nil {
		return nil, err
	}
	ts, err := newTags(l.Tags)
	if err != nil {
		return nil, err
	}
	if err := l.checkNetwork(sp); err != nil {
		return nil, err
	}
	kind, img, err := s.findTypeAndImage(sp, l)
	if err != nil {
		return nil, err
	}
	for _, check := range []func() error{
		func() error { return l.checkDisks(kind) },
		func() error { return l.checkOptions(kind, img) },
		func() error { return s.checkKMS(sp, l, kind) },
		func() error { return s.checkSources(sp, l, img) },
		func() error { return s.checkRole(c, l.Role, 401) },
	} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	return l.plan(kind, img, ts), nil
}

// checkNetwork: 400 InvalidVSwitchId.Necessary is in the error table of
// RunInstances; the not-found codes are assumed. The classic network cannot be
// launched into any more.
func (l *launch) checkNetwork(sp *space) error {
	if l.VSwitch == "" {
		return invalid("InvalidVSwitchId.Necessary", "The VSwitchId is necessary.")
	}
	if l.VSwitch != localVSwitch {
		return wire.Errorf(404, "InvalidVSwitchId.NotFound", "The specified VSwitchId does not exist: %s.", l.VSwitch)
	}
	if len(l.Groups) == 0 {
		return missing("SecurityGroupId")
	}
	for _, g := range l.Groups {
		if g != localGroup {
			return wire.Errorf(404, "InvalidSecurityGroupId.NotFound", "The specified SecurityGroupId does not exist: %s.", g)
		}
	}
	if l.Zone = cmp.Or(l.Zone, zoneOf(sp.region)); l.Zone != zoneOf(sp.region) {
		return wire.Errorf(404, "InvalidZoneId.NotFound", "The specified ZoneId does not exist: %s.", l.Zone)
	}
	return nil
}

// findTypeAndImage: 403 ImageNotSupportInstanceType and 400
// InvalidParameter.Conflict are in the error table of RunInstances; the
// not-found codes are assumed.
func (s *Service) findTypeAndImage(sp *space, l *launch) (*instanceType, *image, error) {
	switch {
	case l.InstanceType == "":
		return nil, nil, missing("InstanceType")
	case l.ImageID != "" && l.ImageFamily != "":
		return nil, nil, invalid("InvalidParameter.Conflict", "ImageId and ImageFamily cannot be set together.")
	case l.ImageID == "" && l.ImageFamily == "":
		return nil, nil, missing("ImageId")
	}
	kind := typeOf(l.InstanceType)
	if kind == nil {
		return nil, nil, wire.Errorf(404, "InvalidInstanceType.NotFound", "The specified InstanceType does not exist: %s.", l.InstanceType)
	}
	img := s.image(sp, l.ImageID)
	if l.ImageFamily != "" {
		img = s.newest(sp, l.ImageFamily)
	}
	if img == nil {
		return nil, nil, wire.Errorf(404, "InvalidImageId.NotFound", "The specified image does not exist: %s%s.", l.ImageID, l.ImageFamily)
	}
	if !kind.family.runs(img) {
		return nil, nil, wire.Errorf(403, "ImageNotSupportInstanceType", "The specified image does not support the instance type %s.", kind.id)
	}
	return kind, img, nil
}

// systemCategories are the documented values of SystemDisk.Category.
var systemCategories = []string{"cloud_efficiency", "cloud_ssd", "cloud_essd", "cloud", "cloud_auto", "cloud_essd_entry"}

// checkDisks: 400 InvalidSystemDiskCategory.ValueNotSupported, 403
// InvalidDiskCategory.NotSupported and 400 InvalidParameter.EncryptedIllegal are
// in the error table of RunInstances. That an ultra disk is refused nowhere,
// even under trusted families, is on purpose: no document says it is.
func (l *launch) checkDisks(kind *instanceType) error {
	if !slices.Contains(systemCategories, l.System.Category) {
		return invalid("InvalidSystemDiskCategory.ValueNotSupported", "The specified parameter SystemDisk.Category is not valid: %s.", l.System.Category)
	}
	if len(l.Data) > 16 {
		return invalid("InvalidParameter.DataDiskNum", "The number of data disks exceeds the limit of 16.")
	}
	for i := range l.Data {
		l.Data[i].Category = cmp.Or(l.Data[i].Category, "cloud_efficiency")
	}
	for _, d := range append([]launchDisk{l.System}, l.Data...) {
		if d.Category == "cloud_essd_entry" && !kind.family.entryDisk {
			return wire.Errorf(403, "InvalidDiskCategory.NotSupported", "The specified disk category is not supported by %s.", kind.id)
		}
		if d.Key != "" && d.Encrypted != "true" {
			return invalid("InvalidParameter.EncryptedIllegal", "KMSKeyId needs Encrypted to be true.")
		}
	}
	return nil
}

// checkOptions: which families take TrustedSystemMode and Enclave is documented,
// the code for the others is assumed. Hardening needs a public image
// (documented; the code is assumed).
func (l *launch) checkOptions(kind *instanceType, img *image) error {
	f := kind.family
	switch {
	case l.TrustedMode != "" && l.TrustedMode != "vTPM":
		return invalid("InvalidParameter.TrustedSystemMode", "The specified TrustedSystemMode is not valid: %s.", l.TrustedMode)
	case l.TrustedMode == "vTPM" && f.trust != byMode:
		return invalid("InvalidParameter.Conflict", "%s does not support SecurityOptions.TrustedSystemMode.", kind.id)
	case l.Confidential != "" && (l.Confidential != "Enclave" || !f.enclave):
		return invalid("InvalidParameter.Conflict", "%s does not support SecurityOptions.ConfidentialComputingMode=%s.", kind.id, l.Confidential)
	case !oneOf(l.Hardening, "Active", "Deactive"):
		return invalid("InvalidSecurityEnhancementStrategy.ValueNotSupported", "The specified SecurityEnhancementStrategy is not valid: %s.", l.Hardening)
	case l.Hardening == "Active" && img.owner != "":
		return invalid("InvalidParameter.Conflict", "SecurityEnhancementStrategy=Active needs a public image.")
	}
	return cmp.Or(checkTokens(l.HTTPTokens), checkEndpoint(l.HTTPEndpoint), checkUserData(l.UserData))
}

func checkTokens(tokens string) error {
	if !oneOf(tokens, "optional", "required") {
		return invalid("InvalidHttpTokens.ValueNotSupported", "The specified HttpTokens is not valid: %s.", tokens)
	}
	return nil
}

func checkEndpoint(endpoint string) error {
	if !oneOf(endpoint, "enabled", "disabled") {
		return invalid("InvalidHttpEndpoint.ValueNotSupported", "The specified HttpEndpoint is not valid: %s.", endpoint)
	}
	return nil
}

// oneOf reports whether v is empty or one of the allowed values.
func oneOf(v string, allowed ...string) bool { return v == "" || slices.Contains(allowed, v) }

// diskEncryptRole is the role that lets ECS use an account's own key.
const diskEncryptRole = "AliyunECSDiskEncryptDefaultRole"

// checkKMS: a launch of trusted instances fails unless KMS is enabled
// (documented; the code is assumed), and so does one of a security-enhanced
// family. The codes about keys are in the error table of RunInstances.
func (s *Service) checkKMS(sp *space, l *launch, kind *instanceType) error {
	disks := append([]launchDisk{l.System}, l.Data...)
	encrypted := slices.ContainsFunc(disks, func(d launchDisk) bool { return d.Encrypted == "true" })
	trusted := kind.family.enhanced() || l.TrustedMode != "" || l.Confidential != ""
	if (encrypted || trusted) && !s.keys.Enabled(sp.account, sp.region) {
		return wire.Errorf(403, "InvalidParameter.KMSKeyId.CMKNotEnabled", "Key Management Service is not enabled.")
	}
	for _, d := range disks {
		if d.Key == "" {
			continue
		}
		if err := s.checkKey(sp, d.Key); err != nil {
			return err
		}
	}
	return nil
}

// checkSources asks whether the account may use what its disks are made of.
// Disks of its own encrypted images and snapshots are encrypted alike.
func (s *Service) checkSources(sp *space, l *launch, img *image) error {
	if err := s.unlockDisks(sp, l); err != nil {
		return err
	}
	if m := img.encrypted(); m != nil && img.owner == sp.account {
		inherit(&l.System, m.key, m.service)
	}
	return s.unlock(sp, img, l.System.Encrypted)
}

// checkKey: the codes are in the error table of RunInstances.
func (s *Service) checkKey(sp *space, key string) error {
	found, enabled := s.keys.Key(sp.account, sp.region, key)
	if !found {
		return wire.Errorf(404, "InvalidParameter.KMSKeyId.NotFound", "The specified KMSKeyId does not exist.")
	}
	if !enabled {
		return wire.Errorf(403, "InvalidParameter.KMSKeyId.CMKNotEnabled", "The CMK needs to be enabled.")
	}
	if seen, trusted := s.roles.RoleVisible(sp.account, diskEncryptRole); !seen || !trusted {
		return wire.Errorf(403, "InvalidParameter.KMSKeyId.KMSUnauthorized", "ECS service have no right to access your KMS.")
	}
	return nil
}

// checkRole asks whether the caller may pass a role and whether ECS can use it.
// 403 InvalidUser.PassRoleForbidden and 404 InvalidRamRole.NotFound are in the
// error tables of AttachInstanceRamRole and RunInstances; the status of
// InvalidRamRole.NotEcsRole differs between them: 404 and 401.
func (s *Service) checkRole(c *wire.Call, role string, notECS int) error {
	if role == "" {
		return nil
	}
	if err := c.Allow("ram:PassRole", "acs:ram:*:"+c.Caller.Account+":role/"+role); err != nil {
		return wire.Errorf(403, "InvalidUser.PassRoleForbidden", "The RAM user does not have the privilege to pass the role %s.", role)
	}
	seen, trusts := s.roles.RoleVisible(c.Caller.Account, role)
	if !seen {
		return wire.Errorf(404, "InvalidRamRole.NotFound", "The specified RamRoleName does not exist: %s.", role)
	}
	if !trusts {
		return wire.Errorf(notECS, "InvalidRamRole.NotEcsRole", "The specified RAM role %s is not authorized for ECS, please check your role policy.", role)
	}
	return nil
}

package ecs

import (
	"cmp"
	"encoding/base64"
	"slices"
)

// launch is what one RunInstances or CreateInstance asks for. A launch template
// holds one too; what the request leaves out is taken from it.
type launch struct {
	InstanceType, ImageID, ImageFamily  string
	VSwitch, Zone                       string
	Groups                              []string
	Name, HostName, Description         string
	KeyPair, Role, UserData             string
	TrustedMode, Confidential           string
	Hardening, HTTPEndpoint, HTTPTokens string
	HopLimit                            int
	Charge, ResourceGroup               string
	System                              launchDisk
	Data                                []launchDisk
	Tags                                []TagParam
	NICs                                []launchNIC
	Protected                           bool
	Amount                              int
	Unique                              bool // UniqueSuffix
}

// launchDisk is a disk that a launch asks for.
type launchDisk struct {
	Category, Level   string
	Size              int
	Encrypted, Key    string
	Snapshot          string
	DeleteWithRelease string
}

// launchNIC is a network interface that a launch asks for.
type launchNIC struct {
	InstanceType, VSwitch string
	Groups                []string
}

// primary is the interface that carries the instance's address, or nil. An
// interface that does not say Primary is a secondary one.
func (l *launch) primary() *launchNIC {
	for i, n := range l.NICs {
		if n.InstanceType == "Primary" {
			return &l.NICs[i]
		}
	}
	return nil
}

// fill takes what l leaves out from a template. Lists are taken whole. An image
// family in the request keeps the template's image out, and a VSwitch of the
// primary interface the template's VSwitch.
func (l *launch) fill(t *launch) {
	if l.ImageID == "" && l.ImageFamily == "" {
		l.ImageID, l.ImageFamily = t.ImageID, t.ImageFamily
	}
	if len(l.NICs) == 0 && l.VSwitch == "" {
		l.NICs, l.VSwitch = t.NICs, t.VSwitch
	}
	for _, f := range []struct{ to, from *string }{
		{&l.InstanceType, &t.InstanceType}, {&l.Zone, &t.Zone}, {&l.Name, &t.Name}, {&l.HostName, &t.HostName},
		{&l.Description, &t.Description}, {&l.KeyPair, &t.KeyPair}, {&l.Role, &t.Role}, {&l.UserData, &t.UserData},
		{&l.TrustedMode, &t.TrustedMode}, {&l.Confidential, &t.Confidential}, {&l.Hardening, &t.Hardening},
		{&l.HTTPEndpoint, &t.HTTPEndpoint}, {&l.HTTPTokens, &t.HTTPTokens}, {&l.Charge, &t.Charge},
		{&l.ResourceGroup, &t.ResourceGroup}, {&l.System.Category, &t.System.Category}, {&l.System.Level, &t.System.Level},
		{&l.System.Encrypted, &t.System.Encrypted}, {&l.System.Key, &t.System.Key},
	} {
		*f.to = cmp.Or(*f.to, *f.from)
	}
	l.System.Size = cmp.Or(l.System.Size, t.System.Size)
	l.HopLimit = cmp.Or(l.HopLimit, t.HopLimit)
	l.Groups = firstList(l.Groups, t.Groups)
	l.Data = firstList(l.Data, t.Data)
	l.Tags = firstList(l.Tags, t.Tags)
	l.Protected = l.Protected || t.Protected
}

func firstList[T any](a, b []T) []T {
	if len(a) > 0 {
		return a
	}
	return b
}

// resolve moves the primary interface's network to the instance and sets the
// documented defaults.
func (l *launch) resolve() error {
	if n := l.primary(); n != nil {
		if l.VSwitch != "" {
			// Documented: with a primary interface, VSwitchId must be absent.
			return invalid("InvalidParameter.Conflict", "VSwitchId and NetworkInterface.N.VSwitchId of the primary interface cannot be set together.")
		}
		l.VSwitch = n.VSwitch
		l.Groups = firstList(n.Groups, l.Groups)
	}
	l.System.Category = cmp.Or(l.System.Category, "cloud_efficiency") // documented default
	l.HTTPEndpoint, l.HTTPTokens = cmp.Or(l.HTTPEndpoint, "enabled"), cmp.Or(l.HTTPTokens, "optional")
	l.Charge = cmp.Or(l.Charge, "PostPaid")
	return nil
}

// plan is a checked launch: what its instances will share.
type plan struct {
	spec    *spec
	system  *diskSpec
	data    []*diskSpec
	tags    tags
	meta    *metadata
	guest   *guest
	role    string
	name    string
	unique  bool
	trusted bool
}

// plan makes what a checked launch's instances will share. The launch's tags are
// valid and its type and image exist.
func (l *launch) plan(kind *instanceType, img *image, ts []tag) *plan {
	p := &plan{role: l.Role, name: l.Name, unique: l.Unique, meta: openMetadata, guest: newGuest(img), trusted: l.trusted(kind, img)}
	p.spec = &spec{
		kind: kind, image: img, vpc: localVPC, vswitch: l.VSwitch, groups: slices.Clone(l.Groups), zone: l.Zone,
		resourceGroup: l.ResourceGroup, keyPair: l.KeyPair, hostName: l.HostName, description: l.Description,
		charge: l.Charge, userData: l.UserData, hardening: l.Hardening, protected: l.Protected,
	}
	if l.HTTPTokens != "optional" || l.HTTPEndpoint != "enabled" || l.HopLimit > 1 {
		p.meta = &metadata{endpoint: l.HTTPEndpoint, tokens: l.HTTPTokens, hops: max(l.HopLimit, 1)}
	}
	p.tags = tags{}.set(ts...)
	if p.trusted {
		p.tags = p.tags.set(supportVTPM)
	}
	p.system = l.System.spec(l.Zone)
	p.system.system, p.system.device, p.system.imageID = true, "/dev/xvda", img.id
	p.system.size = max(p.system.size, img.size)
	for i, d := range l.Data {
		ds := d.spec(l.Zone)
		ds.device = "/dev/xvd" + string(rune('b'+i))
		p.data = append(p.data, ds)
	}
	return p
}

func (d *launchDisk) spec(zone string) *diskSpec {
	return &diskSpec{
		category: d.Category, level: d.Level, encrypted: d.Encrypted == "true", key: d.Key, size: max(d.Size, 20),
		snapshot: d.Snapshot, zone: zone, stays: d.DeleteWithRelease == "false",
	}
}

// trusted reports whether the launch makes trusted instances, which then carry
// the system tag. Documented: TrustedSystemMode=vTPM, and Enclave, which
// switches the trusted system on as well; assumed: the sixth security-enhanced
// generation, if it runs a secured image.
func (l *launch) trusted(kind *instanceType, img *image) bool {
	switch kind.family.trust {
	case byMode:
		return l.TrustedMode == "vTPM" || l.Confidential == "Enclave"
	case byImage:
		return img.secured()
	default:
		return false
	}
}

// checkUserData: Base64, at most 32 KB before encoding.
// 400 InvalidUserData.SizeExceeded: error table of RunInstances; the code for
// what is not Base64 is assumed.
func checkUserData(s string) error {
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return invalid("InvalidUserData.Base64FormatInvalid", "The specified UserData is not encoded in Base64.")
	}
	if len(raw) > 32<<10 {
		return invalid("InvalidUserData.SizeExceeded", "The size of the specified UserData exceeds 32 KB.")
	}
	return nil
}

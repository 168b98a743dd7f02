package instances

import (
	"fmt"
	"strings"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/rules/verdict"
)

// securedMark is part of the id of every published trusted image, such as
// aliyun_2_1903_x64_20G_secured_alibase_20210120.vhd.
const securedMark = "_secured_"

// otherMark begins the ids of all images but the public ones, which are named after their
// system (DescribeImages, ImageId).
const otherMark = "m-"

// image: sixth-generation trusted instances boot from a trusted image, those of the seventh
// by UEFI. Of the former, neither the boot mode nor any other field of DescribeImages is
// evidence: only the id of a public image is.
func image(s *subject) fleet.Verdict {
	l := s.inst.Listed.V
	family, _ := l.Generation()
	img := s.inst.Image
	switch {
	case !img.Seen():
		return verdict.Undecided("the image could not be read: " + img.Why)
	case img.V.Gone:
		return verdict.NotAssessable("DescribeImages does not show the image: it was deleted or is no longer shared, or it is one of the Marketplace or the community")
	case generation(family) < 7:
		return trustedImage(img.V)
	}
	return bootsByUEFI(img.V)
}

func trustedImage(img fleet.Image) fleet.Verdict {
	e := verdict.Observed("image", img.ID)
	switch {
	case img.Owner != "system":
		return verdict.NotAssessable("no API shows whether an image that is not a public one was made from a trusted image; its owner is " + img.Owner)
	case strings.Contains(img.ID, securedMark):
		return verdict.Passes("a trusted image", e)
	}
	return verdict.Violation(fleet.High, "the image "+img.ID+" is not a trusted image",
		"launch a new instance from Alibaba Cloud Linux 2.1903 or CentOS 7.8, each in its trusted version", e)
}

func bootsByUEFI(img fleet.Image) fleet.Verdict {
	e := []fleet.Evidence{verdict.Observed("image", img.ID), verdict.Observed("boot mode", img.BootMode)}
	switch img.BootMode {
	case "UEFI":
		return verdict.Passes("the image boots by UEFI", e...)
	case "UEFI-Preferred":
		return verdict.Passes("the image boots by UEFI where the instance type can", e...)
	case "":
		return verdict.Undecided("the cloud does not say how the image " + img.ID + " boots")
	}
	return verdict.Violation(fleet.High, fmt.Sprintf("the image %s boots by %s; a trusted instance of this family needs UEFI", img.ID, img.BootMode),
		"launch a new instance from an image whose BootMode is UEFI", e...)
}

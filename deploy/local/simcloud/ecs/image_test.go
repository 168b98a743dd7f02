package ecs_test

import (
	"slices"
	"testing"

	"fleetwarden/deploy/local/simcloud/ecs"
)

// TestPublicImagesAreKnownByEveryEditionOfTheirID: launches and templates of the field
// name editions of all ages.
func TestPublicImagesAreKnownByEveryEditionOfTheirID(t *testing.T) {
	s := newECS()
	for _, c := range []struct {
		id   string
		all  bool // ShowExpired
		want string
	}{
		{"aliyun_3_x64_20G_uefi_alibase_20230727.vhd", false, "UEFI"}, // listed
		{"aliyun_3_x64_20G_uefi_alibase_20251103.vhd", false, "UEFI"}, // newer
		{"aliyun_3_x64_20G_uefi_alibase_20220101.vhd", false, ""},     // older: expired
		{"aliyun_3_x64_20G_uefi_alibase_20220101.vhd", true, "UEFI"},
		{"aliyun_2_1903_x64_20G_secured_alibase_20220101.vhd", true, "BIOS"},
		{"aliyun_3_x64_20G_uefi_alibase_20260106.vhd", true, ""}, // of tomorrow
		{"aliyun_3_x64_20G_uefi_alibase_20251332.vhd", true, ""}, // no date
		{"aliyun_9_x64_20G_alibase_20251103.vhd", true, ""},      // no such image
	} {
		got, err := s.DescribeImages(call("D", nil), &ecs.DescribeImagesRequest{ImageId: c.id, ShowExpired: c.all})
		if err != nil {
			t.Fatal(err)
		}
		boot := ""
		for _, i := range got.Images.Image {
			if i.ImageId != c.id || i.ImageOwnerAlias != "system" || got.TotalCount != 1 {
				t.Errorf("%s: got %+v", c.id, i)
			}
			boot = i.BootMode
		}
		if boot != c.want {
			t.Errorf("%s with ShowExpired=%t: boots by %q, want %q", c.id, c.all, boot, c.want)
		}
	}
	list, err := s.DescribeImages(call("D", nil), &ecs.DescribeImagesRequest{ShowExpired: true, PageSize: 100})
	if err != nil || list.TotalCount != 11 {
		t.Errorf("a list shows %d images, %v: editions are known by id only", list.TotalCount, err)
	}
}

// A name is searched for by a pattern, as scripts do that want the newest edition.
func TestNamesAreSearchedByPattern(t *testing.T) {
	s := newECS()
	for pattern, want := range map[string]bool{
		"aliyun_3_x64_20G_uefi_alibase_20230727.vhd": true,
		"aliyun_3_x64_20G_uefi_alibase_*":            true,
		"*_uefi_*.vhd":                               true,
		"*":                                          true,
		"":                                           true,
		"aliyun_3_x64_20G_uefi_alibase_":             false, // no pattern: the whole name
		"*_uefi_*.vhd*0":                             false,
		"*.vhdd":                                     false,
		"aliyun_3*3_x64_20G_uefi_alibase_*":          false, // the two may not overlap
	} {
		got, err := s.DescribeImages(call("D", nil), &ecs.DescribeImagesRequest{ImageName: pattern, PageSize: 100})
		if err != nil {
			t.Fatal(err)
		}
		found := slices.ContainsFunc(got.Images.Image, func(i ecs.ImageItem) bool { return i.ImageName == "aliyun_3_x64_20G_uefi_alibase_20230727.vhd" })
		if found != want {
			t.Errorf("%q: found %v, want %v", pattern, found, want)
		}
	}
}

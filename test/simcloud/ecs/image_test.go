package ecs_test

import (
	"testing"

	"fleetwarden/test/simcloud/ecs"
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

package fleet_test

import (
	"strings"
	"testing"

	"fleetwarden/shared/fleet"
)

func TestARegionHasTheShapeOfARegion(t *testing.T) {
	for _, r := range []fleet.Region{"cn-hangzhou", "eu-central-1", "cn-hangzhou-finance", "me-east-1", fleet.Region(strings.Repeat("a", 32))} {
		if !r.Valid() {
			t.Errorf("%q is refused", r)
		}
	}
	for _, r := range []fleet.Region{"", "a", "CN-hangzhou", "cn-", "-cn", "1cn", "cn.evil", "cn/", "cn#", "cn@evil", "cn:1", "cn\x00", "cñ", fleet.Region(strings.Repeat("a", 33))} {
		if r.Valid() {
			t.Errorf("%q is believed", r)
		}
	}
}

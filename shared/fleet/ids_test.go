package fleet_test

import (
	"regexp"
	"strings"
	"testing"

	"fleetwarden/shared/fleet"
)

func validRegion(s string) bool { return fleet.Region(s).Valid() }

func TestIDsHaveTheShapesThatArePublished(t *testing.T) {
	for kind, c := range map[string]struct {
		valid    func(string) bool
		yes, not []string
	}{
		"region": {validRegion,
			[]string{"cn-hangzhou", "eu-central-1", "cn-hangzhou-finance", "cn-north-2-gov-1", "cn-zhengzhou-jva", "me-east-1", "cn-" + strings.Repeat("a", 29)},
			[]string{"", "a", "cn", "cn-", "-cn", "cn-1", "1cn", "auto", "shares", "CN-hangzhou", "china-hangzhou", "cn--hangzhou", "cn-hangzhou-", "cn-hangzhou--1",
				"cn.evil", "cn-a.evil", "cn-a/", "cn-a#", "cn-a@evil", "cn-a:1", "cn-a\x00", "cn-a\n", "cñ-a", "cn-" + strings.Repeat("a", 30)}},
		"instance": {fleet.ValidInstanceID,
			[]string{"i-1", "i-bp67acfmxazb4ph", "i-BP1", "i-" + strings.Repeat("a", 64)},
			[]string{"", "i-", "i-a-b", "i-a_b", "I-a", "d-a", "i-a b", "i-a\n", "i-" + strings.Repeat("a", 65)}},
		"role": {fleet.ValidRoleName,
			[]string{"AliyunECSInstanceForYundunSysTrustRole", "a", "a.b-c", strings.Repeat("a", 64)},
			[]string{"", "a_b", "a/b", "a b", "a\n", strings.Repeat("a", 65)}},
		"run": {fleet.Plain,
			[]string{"sweep-20261120T120000Z-abcdef", "a_b", strings.Repeat("a", 64)},
			[]string{"", ".", "..", "a/b", "a.b", "a b", strings.Repeat("a", 65)}},
		"account": {func(s string) bool { return fleet.AccountID(s).Valid() },
			[]string{"1", "1000000000000001", strings.Repeat("1", 32)},
			[]string{"", "a", "-1", "1 ", "١", strings.Repeat("1", 33)}},
	} {
		for _, id := range c.yes {
			if !c.valid(id) {
				t.Errorf("%s %q is refused", kind, id)
			}
		}
		for _, id := range c.not {
			if c.valid(id) {
				t.Errorf("%s %q is accepted", kind, id)
			}
		}
	}
}

func FuzzIDs(f *testing.F) {
	for _, id := range []string{"", "cn-hangzhou", "cn-north-2-gov-1", "cn-a-", "i-bp67acfmxazb4ph", "i-a-b", "a.b-c", "a\n"} {
		f.Add(id)
	}
	region, instance, role := regexp.MustCompile(`^[a-z]{2}-[a-z]+(-[a-z0-9]+)*$`), regexp.MustCompile(`^i-[A-Za-z0-9]+$`), regexp.MustCompile(`^[A-Za-z0-9.-]+$`)
	f.Fuzz(func(t *testing.T, id string) {
		for kind, c := range map[string]struct{ got, want bool }{
			"region":   {validRegion(id), region.MatchString(id) && len(id) <= fleet.LongestRegion},
			"instance": {fleet.ValidInstanceID(id), instance.MatchString(id) && len(id) <= fleet.LongestInstance},
			"role":     {fleet.ValidRoleName(id), role.MatchString(id) && len(id) <= fleet.LongestRole},
		} {
			if c.got != c.want {
				t.Errorf("%s %q: %v, and the pattern says %v", kind, id, c.got, c.want)
			}
		}
	})
}

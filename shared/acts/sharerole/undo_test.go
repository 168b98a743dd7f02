package sharerole_test

import (
	"context"
	"testing"

	"fleetwarden/shared/acts/sharerole"
	"fleetwarden/shared/fleet"
)

func (c *cloud) UntagRole(_ context.Context, name, key string) error {
	return c.call("UntagRole", true, func() error { delete(c.tags[name], key); return nil })
}

func TestAMarkIsRestoredOrRemoved(t *testing.T) {
	for name, x := range map[string]struct {
		want  string
		fails map[string]error
		state fleet.State
		wrote []string
	}{
		"restored":                        {"none", nil, fleet.Done, []string{"TagRole"}},
		"restored, answer lost":           {"none", map[string]error{"TagRole": lost}, fleet.Done, []string{"TagRole"}},
		"restored, denied":                {"none", map[string]error{"TagRole": denied}, fleet.Failed, nil},
		"restored, unreadable":            {"none", map[string]error{"RoleTags": denied}, fleet.Started, []string{"TagRole"}},
		"taken away":                      {"", nil, fleet.Done, []string{"UntagRole"}},
		"taken away, answer lost":         {"", map[string]error{"UntagRole": lost}, fleet.Done, []string{"UntagRole"}},
		"taken away, denied":              {"", map[string]error{"UntagRole": denied}, fleet.Failed, nil},
		"taken away, not to be read back": {"", map[string]error{"RoleTags": denied}, fleet.Started, []string{"UntagRole"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud()
			c.roles[role] = &fleet.Role{Name: role}
			c.tags[role] = map[string]string{fleet.TagUnused: "since"}
			if x.fails != nil {
				c.fails = x.fails
			}
			ch := change(fleet.MarkUnused, fleet.KindRole, role, "since", x.want)
			do(t, c, sharerole.Remark(c), ch, x.state, x.wrote...)
			if got := c.tags[role][fleet.TagUnused]; x.state == fleet.Done && got != x.want {
				t.Errorf("the tag is %q", got)
			}
		})
	}
}

func TestAVisibleMarkIsNotReportedAsRemoved(t *testing.T) {
	c := newCloud()
	c.tags[role] = map[string]string{fleet.TagUnused: "since"}
	c.after["UntagRole"] = func() { c.tags[role] = map[string]string{fleet.TagUnused: "since"} }
	do(t, c, sharerole.Remark(c), change(fleet.MarkUnused, fleet.KindRole, role, "since", ""), fleet.Started, "UntagRole")
}

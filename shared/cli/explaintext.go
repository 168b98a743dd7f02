package cli

import (
	"cmp"
	"fmt"
	"strings"

	"fleetwarden/shared/command"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// explained shows how the policy decides for one control: the resource, the result, and then the
// key of each answer.
func (t *text) explained(e command.PolicyExplained) error {
	kind := fleet.KindInstance
	if e.ID == "" {
		kind = fleet.KindAccount
	}
	var b strings.Builder
	t.heading(&b, place(e.Account, e.Region, kind, e.ID))
	name := e.Control
	if e.Rule != "" {
		name += "/" + e.Rule
	}
	fmt.Fprintf(&b, "  %s: %s\n", clean(name), clean(strings.ToUpper(string(e.Result))))
	line := func(what, format string, args ...any) {
		fmt.Fprintf(&b, "    %-13s%s\n", what, fmt.Sprintf(format, cleaned(args)...))
	}
	line("mode", "%s", e.Mode)
	if e.Mode != policy.Off {
		line("scope", "%s: %s", e.Judged, cmp.Or(e.ScopeKey, "nothing limits it"))
	}
	if e.Judged != policy.No || e.Mode == policy.Off {
		line("enforced", "%s: %s", e.Enforced, e.EnforceKey)
	}
	if e.ByTags {
		line("by tags", "whoever may tag can change that")
	}
	if e.Manager != "" {
		line("not changed", "%s owns it, and no include names that", e.Manager)
	}
	if e.SelfManaged != policy.No {
		line("self-managed", "%s: %s", e.SelfManaged, e.SelfManagedKey)
	}
	if len(e.Skip) > 0 {
		line("not asked", "%s", strings.Join(e.Skip, ", "))
	}
	for _, x := range e.Exemptions {
		when := "until " + x.LastDay
		switch {
		case x.Ended:
			when = "ended on " + x.LastDay
		case x.Applies == policy.Maybe:
			when = "perhaps, " + when
		}
		line("exempt", "%s %s by %s (%s): %s", cmp.Or(x.Rule, "all rules"), when, x.Owner, x.Reason, x.Key)
	}
	return t.write(b.String())
}

// carried shows the policy of a deployed function.
func (t *text) carried(c command.Carried) error {
	what := "another policy"
	switch {
	case c.Digest == "":
		what = "not read"
	case c.Same:
		what = "the file"
	}
	return t.row("FUNCTION\tREGION\tCARRIES\tDIGEST\tKNOWN BY", "%s\t%s\t%s\t%.12s\t%s", c.Function, c.Region, what, cmp.Or(c.Digest, "-"), cmp.Or(c.Unread, c.From))
}

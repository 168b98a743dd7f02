package deployment

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// Compare returns the differences as sentences; none if the deployment is as wanted.
func Compare(want, have Record) []string {
	out := compared(want.Functions, have.Functions)
	for _, h := range have.Functions {
		if !slices.ContainsFunc(want.Functions, h.is) {
			out = append(out, fmt.Sprintf("%s is of this deployment and not in s.yaml, and its triggers still invoke it: delete it", h))
		}
	}
	out = append(out, compared(want.Roles, have.Roles)...)
	out = append(out, compared(want.Rules, have.Rules)...)
	if len(have.Trails) == 0 {
		out = append(out, fmt.Sprintf("no trail of ActionTrail logs the write calls of %s: launches and shares cause no event; start one, or see deploy/terraform/trail.tf", want.Region))
	}
	return out
}

// part is a part of a deployment; P is its own type.
type part[P any] interface {
	is(P) bool // the same part, ignoring its settings
	missing() string
	Differences(have P) []string
}

// compared returns the differences of the wanted parts.
func compared[P part[P]](want, have []P) (out []string) {
	for _, w := range want {
		if at := slices.IndexFunc(have, w.is); at < 0 {
			out = append(out, w.missing())
		} else {
			out = append(out, w.Differences(have[at])...)
		}
	}
	return out
}

func (f Function) missing() string { return fmt.Sprintf("%s does not exist", f) }
func (r Role) missing() string     { return fmt.Sprintf("role %s does not exist", r.Name) }
func (r Rule) missing() string     { return fmt.Sprintf("%s does not exist; %s", r, r.repair()) }

func (r Role) is(other Role) bool { return r.Name == other.Name }
func (r Rule) is(other Rule) bool {
	return r.Name == other.Name && r.Bus == other.Bus && r.Region == other.Region
}

func (f Function) String() string { return fmt.Sprintf("function %s in %s", f.Name, f.Region) }

// is reports whether both are the same function, ignoring its settings.
func (f Function) is(other Function) bool { return f.Name == other.Name && f.Region == other.Region }

// Differences returns those of the existing function: its code, its settings, its triggers.
func (f Function) Differences(have Function) []string {
	var out []string
	if f.Checksum != have.Checksum {
		out = append(out, f.Foreign(have))
	}
	out = append(out, f.Altered(have)...)
	for _, r := range f.Repairs(have) {
		out = append(out, fmt.Sprintf("%s: %s", f, r))
	}
	return out
}

// Foreign says that the existing function runs other code.
func (f Function) Foreign(have Function) string {
	return fmt.Sprintf("%s runs code with checksum %s, not %s", f, have.Checksum, f.Checksum)
}

// Altered returns the differences of the settings.
func (f Function) Altered(have Function) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(f.Settings)) {
		if got := have.Settings[name]; got != f.Settings[name] {
			out = append(out, fmt.Sprintf("%s has %s %q, not %q", f, name, got, f.Settings[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(have.Settings)) {
		if _, ok := f.Settings[name]; !ok {
			out = append(out, fmt.Sprintf("%s has %s %q, which is not in s.yaml", f, name, have.Settings[name]))
		}
	}
	return out
}

// Repair is the difference of a trigger.
type Repair struct {
	Name string
	// Want is the wanted trigger, and Have the existing one; one of them may be nil.
	Want, Have *Trigger
}

// String says how the trigger differs.
func (r Repair) String() string { return "trigger " + r.Name + " " + r.why() }

func (r Repair) why() string {
	switch {
	case r.Want == nil:
		return "exists, and is not in s.yaml"
	case r.Have == nil:
		return "does not exist"
	case r.Want.Qualifier != r.Have.Qualifier:
		return fmt.Sprintf("invokes version or alias %q, not the deployed code", r.Have.Qualifier)
	case r.Want.Type != r.Have.Type:
		return "has the type " + r.Have.Type
	}
	return "has another configuration: " + strings.Join(differing(r.Want.Config, r.Have.Config), ", ")
}

// differing are the members of a wanted configuration that the existing one has otherwise, with
// digests: headers and addresses may hold a secret.
func differing(want, have string) (out []string) {
	var w, h map[string]any
	if json.Unmarshal([]byte(want), &w) != nil || json.Unmarshal([]byte(have), &h) != nil {
		return []string{fmt.Sprintf("%s, not %s", Digest(have), Digest(want))}
	}
	for _, name := range slices.Sorted(maps.Keys(w)) {
		switch got, ok := h[name]; {
		case !ok:
			out = append(out, "no "+name)
		case !contains(got, w[name]):
			out = append(out, fmt.Sprintf("%s is %s, not %s", name, digestOf(got), digestOf(w[name])))
		}
	}
	return out
}

func digestOf(v any) string {
	text, _ := json.Marshal(v) // it was JSON
	return Digest(string(text))
}

// Repairs returns the differences of a function's triggers, by name. fc3 does not update
// some of them: one behind an unchanged EventBridge trigger, and one that was removed from
// s.yaml.
func (f Function) Repairs(have Function) []Repair {
	var out []Repair
	for name, w := range f.Triggers {
		h, ok := have.Triggers[name]
		switch {
		case !ok:
			out = append(out, Repair{Name: name, Want: &w})
		case w.Type != h.Type || w.Qualifier != h.Qualifier || !within(w.Config, h.Config):
			out = append(out, Repair{Name: name, Want: &w, Have: &h})
		}
	}
	for name, h := range have.Triggers {
		if _, ok := f.Triggers[name]; !ok {
			out = append(out, Repair{Name: name, Have: &h})
		}
	}
	slices.SortFunc(out, func(a, b Repair) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// within reports whether one JSON text is contained in another, which may have more: the
// service adds its defaults.
func within(want, have string) bool {
	var w, h any
	if json.Unmarshal([]byte(want), &w) != nil || json.Unmarshal([]byte(have), &h) != nil {
		return want == have
	}
	return contains(h, w)
}

func contains(have, want any) bool {
	switch w := want.(type) {
	case map[string]any:
		h, ok := have.(map[string]any)
		for name, v := range w {
			ok = ok && contains(h[name], v)
		}
		return ok
	case []any:
		h, ok := have.([]any)
		return ok && slices.EqualFunc(h, w, contains)
	case string:
		h, ok := have.(string)
		return ok && (h == w || isObject(w) && within(w, h) && within(h, w)) // a pattern is JSON in JSON
	}
	return have == want
}

func isObject(text string) bool { return len(text) > 0 && text[0] == '{' }

func (r Rule) String() string {
	return fmt.Sprintf("event rule %s of bus %s in %s", r.Name, r.Bus, r.Region)
}

// repair is the next step after a difference.
func (r Rule) repair() string {
	return "deploy " + string(r.Region) + " again: Terraform repairs the rule"
}

// Differences returns those of the existing rule, each with its repair.
func (r Rule) Differences(have Rule) []string {
	var out []string
	if r.Status != have.Status {
		out = append(out, fmt.Sprintf("%s has status %s, not %s; %s", r, have.Status, r.Status, r.repair()))
	}
	if r.Pattern != have.Pattern {
		out = append(out, fmt.Sprintf("%s has the pattern %s, not %s; %s", r, have.Pattern, r.Pattern, r.repair()))
	}
	for _, w := range r.Targets {
		at := slices.IndexFunc(have.Targets, func(h RuleTarget) bool { return h.ID == w.ID })
		if at < 0 {
			out = append(out, fmt.Sprintf("%s has no target %s; %s", r, w.ID, r.repair()))
		} else if h := have.Targets[at]; !reflect.DeepEqual(w, h) {
			out = append(out, fmt.Sprintf("%s: target %s is %s, not %s; %s", r, w.ID, h, w, r.repair()))
		}
	}
	for _, h := range have.Targets {
		if !slices.ContainsFunc(r.Targets, func(w RuleTarget) bool { return h.ID == w.ID }) {
			out = append(out, fmt.Sprintf("%s has another target, %s, %s; delete it in EventBridge, or create your own rule for it", r, h.ID, h))
		}
	}
	return out
}

// String names what a target is, and shows values as digests: its address and its parts may
// hold a secret, such as the token of a chat's robot.
func (t RuleTarget) String() string {
	out := fmt.Sprintf("%s %s, %s, dead letters %q", t.Type, address(t.Endpoint), t.Retry, address(t.DeadLetters))
	for _, name := range slices.Sorted(maps.Keys(t.Params)) {
		out += fmt.Sprintf(", %s %s", name, Digest(t.Params[name]))
	}
	return out
}

// resource is the name of a resource of Alibaba Cloud, which holds no secret.
var resource = regexp.MustCompile(`^acs:[a-z-]+:[a-z0-9-]*:[0-9]*:[A-Za-z0-9/_.$-]+$`)

// address is that of a destination, as far as it cannot hold a secret.
func address(text string) string {
	if text == "" || resource.MatchString(text) {
		return text
	}
	if u, err := url.Parse(text); err == nil && u.Hostname() != "" {
		return u.Hostname() + " (" + Digest(text) + ")"
	}
	return Digest(text)
}

// Differences returns those of the existing role.
func (r Role) Differences(have Role) []string {
	var out []string
	if r.Trust != have.Trust {
		out = append(out, fmt.Sprintf("role %s trusts %s, not %s", r.Name, have.Trust, r.Trust))
	}
	for _, s := range r.Statements {
		if !slices.Contains(have.Statements, s) {
			out = append(out, fmt.Sprintf("role %s lacks %s", r.Name, s))
		}
	}
	may := append(slices.Clone(r.Statements), r.May...)
	for _, s := range have.Statements {
		if !slices.ContainsFunc(may, func(m string) bool { return anyCommand(m) == anyCommand(s) }) {
			out = append(out, fmt.Sprintf("role %s has, beyond deploy/ram, %s", r.Name, s))
		}
	}
	return out
}

// command is the id of a command, or its placeholder in deploy/ram. Each region has its own
// ids, and a role has the policies of all regions.
var command = regexp.MustCompile(`command/(c-[a-z0-9-]+|\{[a-z-]+\})`)

func anyCommand(statement string) string { return command.ReplaceAllString(statement, "command/*") }

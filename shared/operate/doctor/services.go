package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"fleetwarden/shared/deployment"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// active are the services that have to be activated once in an account, by the names of
// their consoles.
var active = []struct{ name, called, address string }{
	{"fc", "Function Compute", "https://fcnext.console.aliyun.com"},
	{"eventbridge", "EventBridge", "https://eventbridge.console.aliyun.com"},
	{"mns", "Simple Message Queue", "https://mns.console.aliyun.com"},
}

func servicesActive(ctx context.Context, x *examination) answer {
	return answer{says: "all of them", problems: each(active, func(s struct{ name, called, address string }) []Problem {
		_, err := read(ctx, x, func(ctx context.Context) (struct{}, error) { return struct{}{}, x.Services.Active(ctx, s.name, x.Home) })
		switch {
		case err == nil:
			return nil
		case inactive(fleet.CodeOf(err)):
			return one(Problem{Result: Fail, Region: x.Home, ID: s.name, Says: s.called + " is not activated: " + short(err), Mend: "activate it at " + s.address})
		}
		return one(unread(s.called, x.Home, s.name, err))
	})}
}

// inactive reports whether a code says that a service was never activated. The services have
// codes of their own for it, such as ServiceNotEnable (EventBridge).
func inactive(code string) bool {
	for _, part := range []string{"NotEnable", "NotActivat", "NotOpen", "Unopen", "NotSubscribe"} {
		if strings.Contains(code, part) {
			return true
		}
	}
	return false
}

func serviceLinkedRoles(ctx context.Context, x *examination) answer {
	all := deployment.ServiceLinkedRoles()
	return answer{says: fmt.Sprintf("all %d", len(all)), problems: each(all, func(l deployment.ServiceLinkedRole) []Problem {
		r, err := read(ctx, x, func(ctx context.Context) (fleet.Role, error) { return x.Links.Bare(ctx, l.Role) })
		switch {
		case err != nil:
			return one(unread("service-linked role "+l.Role, "", l.Role, err))
		case r.Missing:
			result := Fail
			if l.Role == deployment.AgentRole {
				result = x.Policy.needs(policy.ControlAgent)
			}
			return one(Problem{Result: result, ID: l.Role, Says: "the service-linked role " + l.Role + " does not exist: " + l.For,
				Mend: "aliyun resourcemanager CreateServiceLinkedRole --ServiceName " + l.Service})
		}
		return nil
	})}
}

func productsServed(ctx context.Context, x *examination) answer {
	a := answer{says: "in each region"}
	places, err := x.places(ctx)
	a.add(x.unknown(err)...)
	for _, region := range places {
		for _, p := range []struct{ name, called, lost string }{
			{"kms", "KMS", "the rule kms-enabled is not judged there, and nothing is encrypted with a key of yours"},
			{"resourcesharing", "Resource Sharing", "no snapshot can be shared there, and the control share-role finds none"},
		} {
			if x.Services.Absent(p.name, region) {
				a.add(Problem{Result: Warn, Region: region, ID: p.name, Says: fmt.Sprintf("%s is not served in %s: %s", p.called, region, p.lost),
					Mend: "nothing, if that is as intended; else take " + string(region) + " out of regions in the policy file, and deploy"})
			}
		}
	}
	return a
}

// places are the regions that the policy lists, and those with a deployment.
func (x *examination) places(ctx context.Context) ([]fleet.Region, error) {
	regions, err := x.regions(ctx)
	out := append(slices.Clone(x.Policy.Regions), regions...)
	slices.Sort(out)
	return slices.Compact(out), err
}

func kmsEnabled(ctx context.Context, x *examination) answer {
	return answer{says: "in each deployed region that has it", problems: inRegions(ctx, x, func(region fleet.Region) []Problem {
		status, err := read(ctx, x, func(ctx context.Context) (string, error) { return x.KMS.AccountStatus(ctx, region) })
		p := Problem{Result: x.Policy.needs(policy.ControlTrustedInstance, policy.ControlShareRole), Region: region, ID: "kms", Says: fmt.Sprintf("KMS is %s in %s", status, region)}
		switch {
		case err != nil:
			return one(unread("whether KMS is enabled", region, "kms", err))
		case status == "Enabled" || status == fleet.NoKMS: // see products-served
			return nil
		case status == "NotEnabled":
			p.Mend = "aliyun kms OpenKmsService --region " + string(region)
		default:
			p.Mend = "settle the account's bill at https://usercenter2.aliyun.com; KMS is enabled again then"
		}
		return one(p)
	})}
}

// needs is what it comes to that something is missing which these controls need.
func (p Policy) needs(controls ...string) Verdict {
	for _, c := range controls {
		if !slices.Contains(p.Off, c) {
			return Fail
		}
	}
	return Warn
}

// basic is the edition of Security Center that is free.
const basic = 1

func securityCenter(ctx context.Context, x *examination) answer {
	edition, err := read(ctx, x, func(ctx context.Context) (int, error) { return x.Agents.Edition(ctx, x.Home) })
	a := answer{says: fmt.Sprintf("edition %d", edition)}
	switch {
	case err != nil:
		a.add(unread("the edition of Security Center", x.Home, "security-center", err))
	case edition < basic:
		a.add(Problem{Result: Warn, Region: x.Home, ID: "security-center", Says: "Security Center has no edition: its agents can be installed and report nothing",
			Mend: "activate it at https://yundun.console.aliyun.com/?p=sas"})
	}
	return a
}

func trails(ctx context.Context, x *examination) answer {
	return answer{says: "with each delivery made", problems: inRegions(ctx, x, func(region fleet.Region) []Problem {
		all, err := read(ctx, x, func(ctx context.Context) ([]Trail, error) { return x.Trails.Trails(ctx, x.Home, region) })
		if err != nil {
			return one(unread("ActionTrail", region, "trail", err))
		}
		return judgeTrails(x.Home, region, all, x.deploy(x.Home))
	})}
}

// judgeTrails: one trail that logs is enough. That it cannot deliver to its own destination
// does not keep its events from EventBridge, as far as is documented; it is no trail to rely on.
func judgeTrails(home, region fleet.Region, all []Trail, deploy string) []Problem {
	if len(all) == 0 {
		return one(Problem{Result: Fail, Region: region, ID: "trail", Says: "no trail covers the write calls of " + string(region),
			Mend: "deploy the home region again, which creates one: " + deploy})
	}
	var faults []Problem
	logging := false
	for _, t := range all {
		logging = logging || t.Logging
		for _, f := range t.Faults {
			if t.Logging {
				faults = append(faults, Problem{Result: Warn, Region: region, ID: t.Name, Says: fmt.Sprintf("trail %s logs, and %s", t.Name, f),
					Mend: "check the trail's destination at https://actiontrail.console.aliyun.com"})
			}
		}
	}
	if logging {
		return faults
	}
	return one(Problem{Result: Fail, Region: region, ID: all[0].Name, Says: fmt.Sprintf("trail %s does not log the write calls of %s", all[0].Name, region),
		Mend: "aliyun actiontrail StartLogging --Name " + all[0].Name + " --region " + string(home)})
}

package doctor

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"fleetwarden/shared/deployment"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// functionsOf asks about each function that exists; those that do not, or cannot be read,
// are functions-exist's to report, except that what was not read is not ok.
func functionsOf(ctx context.Context, x *examination, ask func(w, have deployment.Function) []Problem) (problems []Problem, n int) {
	all, problems := x.wanted(ctx)
	return append(problems, each(all, func(w deployment.Function) []Problem {
		have, err := x.function(ctx, w)
		switch {
		case err != nil:
			return one(unread(w.String(), w.Region, w.Name, err))
		case have == nil:
			return nil
		}
		return ask(w, *have)
	})...), len(all)
}

func functionsExist(ctx context.Context, x *examination) answer {
	all, problems := x.wanted(ctx)
	return answer{says: fmt.Sprintf("%d of them", len(all)), problems: append(problems, each(all, func(w deployment.Function) []Problem {
		have, err := x.function(ctx, w)
		switch {
		case err != nil:
			return one(unread(w.String(), w.Region, w.Name, err))
		case have == nil:
			return one(Problem{Result: Fail, Region: w.Region, ID: w.Name, Says: w.String() + " does not exist", Mend: x.deploy(w.Region)})
		}
		return nil
	})...)}
}

// The settings of package deployment that stop a function, and those that other checks are about.
const (
	restriction = "invocationRestriction"
	ondemand    = "disableOndemand"
	reserved    = "reservedConcurrency"
	stateOf     = "state"
	updateOf    = "lastUpdateStatus"
)

func functionsEnabled(ctx context.Context, x *examination) answer {
	problems, n := functionsOf(ctx, x, func(w, have deployment.Function) (out []Problem) {
		path := "/2023-03-30/functions/" + w.Name
		region := " --region " + string(w.Region)
		for _, s := range []struct {
			stopped    bool
			says, mend string
		}{
			{stops(have, restriction), fmt.Sprintf("invocations are disabled in Function Compute: %q", have.Settings[restriction]), "aliyun fc POST " + path + "/invoke/enable" + region + " --body '{}'"},
			{stops(have, ondemand), "it may start no instance on demand", x.deploy(w.Region)},
			{have.Settings[reserved] == "0", "its reserved concurrency is 0: each call is refused", fmt.Sprintf("aliyun fc PUT %s/concurrency%s --body '{\"reservedConcurrency\":%s}'", path, region, orOne(w.Settings[reserved]))},
			{have.Settings[stateOf] != "" && have.Settings[stateOf] != "Active", "its state is " + orNone(have.Settings[stateOf]), x.deploy(w.Region)},
			{have.Settings[updateOf] == "Failed", "its last update failed", x.deploy(w.Region)},
		} {
			if s.stopped {
				out = append(out, Problem{Result: Fail, Region: w.Region, ID: w.Name, Says: w.String() + ": " + s.says, Mend: s.mend})
			}
		}
		return out
	})
	return answer{says: fmt.Sprintf("%d of them", n), problems: problems}
}

func stops(f deployment.Function, setting string) bool { _, ok := f.Settings[setting]; return ok }

func orOne(n string) string {
	if n == "" || n == "0" {
		return "1"
	}
	return n
}

func functionCode(ctx context.Context, x *examination) answer {
	problems, n := functionsOf(ctx, x, func(w, have deployment.Function) []Problem {
		switch w.Checksum {
		case "":
			return one(uncompared("the code of "+w.String(), w.Region, w.Name))
		case have.Checksum:
			return nil
		}
		return one(Problem{Result: Fail, Region: w.Region, ID: w.Name, Says: w.Foreign(have), Mend: "find out who changed it (in ActionTrail, the call UpdateFunction), then " + x.deploy(w.Region)})
	})
	return answer{says: fmt.Sprintf("%d of them", n), problems: problems}
}

// stopping are the settings that functions-enabled reports.
var stopping = []string{restriction, ondemand, stateOf, updateOf}

func functionSettings(ctx context.Context, x *examination) answer {
	problems, n := functionsOf(ctx, x, func(w, have deployment.Function) (out []Problem) {
		if w.Settings == nil {
			return one(uncompared("how "+w.String()+" is set", w.Region, w.Name))
		}
		have.Settings = maps.Clone(have.Settings)
		for _, name := range stopping {
			have.Settings[name] = w.Settings[name]
			if w.Settings[name] == "" {
				delete(have.Settings, name)
			}
		}
		if have.Settings[reserved] == "0" {
			have.Settings[reserved] = w.Settings[reserved]
		}
		for _, says := range w.Altered(have) {
			out = append(out, Problem{Result: Fail, Region: w.Region, ID: w.Name, Says: says, Mend: x.deploy(w.Region)})
		}
		return out
	})
	return answer{says: fmt.Sprintf("%d of them", n), problems: problems}
}

func policyDeployed(ctx context.Context, x *examination) answer {
	all, err := x.deployments(ctx)
	if err != nil {
		return answer{problems: one(unread("which policy was deployed", x.Home, deployment.Folder, err))}
	}
	a := answer{says: "the same in all regions"}
	var newest deployment.Record
	regions, err := x.regions(ctx)
	a.add(x.unknown(err)...)
	for _, region := range regions {
		r, ok := all[region]
		if r.At.After(newest.At) {
			newest = r
		}
		if !ok || r.Policy == "" {
			a.add(uncompared("the policy of "+string(region), region, "policy"))
		}
	}
	want, whose := newest.Policy, "the policy of "+string(newest.Region)
	if x.Policy.File {
		want, whose = x.Policy.Digest, "the policy file at hand"
		a.says = "that of digest " + digest(want)
	}
	for _, region := range regions {
		if r := all[region]; r.Policy != "" && r.Policy != want {
			a.add(Problem{Result: Warn, Region: region, ID: "policy", Says: fmt.Sprintf("the functions in %s have a policy of digest %s, and %s has %s", region, digest(r.Policy), whose, digest(want)),
				Mend: policy.DeployCommand(cmp.Or(x.Policy.Path, "FILE"), region, x.Home) + " # or use the file that was deployed: --policy"})
		}
	}
	return a
}

func digest(d string) string { return orNone(d[:min(len(d), 12)]) }

// limit is what an account has in a region for all functions together, unless its quota was
// changed; least is what has to be left for a function without a share of its own.
const (
	limit = 100
	least = 10
)

// instancesLeft counts the instances that all functions of the account reserve.
func instancesLeft(ctx context.Context, x *examination) answer {
	a := answer{says: "in each deployed region"}
	a.add(inRegions(ctx, x, func(region fleet.Region) []Problem {
		names, err := read(ctx, x, func(ctx context.Context) ([]string, error) { return x.Deployed.Functions(region).Names(ctx, "") })
		if err != nil {
			return one(unread("the functions of "+string(region), region, "functions", err))
		}
		taken := make([]int, len(names))
		errs := make([]error, len(names))
		each(numbers(len(names)), func(i int) []Problem {
			n, err := read(ctx, x, func(ctx context.Context) (*int, error) { return x.Deployed.Functions(region).Reserved(ctx, names[i]) })
			if n != nil {
				taken[i] = *n
			}
			errs[i] = err
			return nil
		})
		sum := 0
		for _, n := range taken {
			sum += n
		}
		problems := unreadOf("the reserved instances of the functions of "+string(region), region, "functions", errs)
		if left := limit - sum; left < least {
			problems = append(problems, Problem{Result: Warn, Region: region, ID: "functions", Says: fmt.Sprintf("functions in %s reserve %d instances: %d of %d are left for all others", region, sum, left, limit),
				Mend: "reserve less, or have the quota of instances raised at https://quotas.console.aliyun.com/products/fc/quotas"})
		}
		return problems
	})...)
	return a
}

func triggers(ctx context.Context, x *examination) answer {
	problems, n := functionsOf(ctx, x, func(w, have deployment.Function) (out []Problem) {
		if w.Settings == nil {
			return one(uncompared("what invokes "+w.String(), w.Region, w.Name))
		}
		for _, r := range w.Repairs(have) {
			out = append(out, Problem{Result: Fail, Region: w.Region, ID: w.Name + "/" + r.Name, Says: fmt.Sprintf("%s: %s", w, cut(r.String())), Mend: x.deploy(w.Region)})
		}
		return out
	})
	return answer{says: "of " + strconv.Itoa(n) + " functions", problems: problems}
}

// cut shortens what quotes a configuration.
func cut(s string) string {
	const most = 300
	if r := []rune(strings.Join(strings.Fields(s), " ")); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// wantedRoles are those of the wanted functions, as the newest record has them, without what
// is optional; from deploy/ram where there is no record.
func (x *examination) wantedRoles(ctx context.Context) ([]deployment.Role, error) {
	all, err := x.deployments(ctx)
	if err != nil {
		return nil, err
	}
	var out []deployment.Role
	for _, f := range fleet.Functions() {
		name := fleet.CloudName(f.Name)
		var optional []string
		for _, file := range slices.Sorted(maps.Keys(x.Files.Optional)) {
			if strings.HasPrefix(file, f.Name+"-") {
				s, err := deployment.Statements([]byte(x.Files.Optional[file]))
				if err != nil {
					return nil, fmt.Errorf("reading %s: %w", file, err)
				}
				optional = append(optional, s...)
			}
		}
		role, ok := newestRole(all, name)
		if !ok {
			if len(all) > 0 {
				continue // the deployment is of a build that has no such function
			}
			own, err := deployment.Statements([]byte(x.Files.Roles[f.Name]))
			if err != nil {
				return nil, fmt.Errorf("reading the policy of %s: %w", f.Name, err)
			}
			role = deployment.Role{Name: name, Trust: deployment.Trust()}
			for _, s := range own {
				if strings.Contains(s, "{"+fleet.Prefix) { // the ids of the commands are not known
					optional = append(optional, s)
				} else {
					role.Statements = append(role.Statements, s)
				}
			}
		}
		role.Statements = slices.DeleteFunc(slices.Clone(role.Statements), func(s string) bool { return slices.Contains(optional, s) })
		role.May = optional
		out = append(out, role)
	}
	return out, nil
}

func newestRole(all map[fleet.Region]deployment.Record, name string) (deployment.Role, bool) {
	var at deployment.Record
	var out deployment.Role
	for _, r := range all {
		i := slices.IndexFunc(r.Roles, func(o deployment.Role) bool { return o.Name == name })
		if i >= 0 && (at.At.IsZero() || r.At.After(at.At)) {
			at, out = r, r.Roles[i]
		}
	}
	return out, !at.At.IsZero()
}

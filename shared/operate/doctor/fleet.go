package doctor

import (
	"context"
	"fmt"
	"slices"

	"fleetwarden/shared/fleet"
)

func regionsDeployed(ctx context.Context, x *examination) answer {
	guarded, err := x.guards(ctx)
	if err != nil {
		return answer{problems: one(unread("which regions are enabled", x.Home, "regions", err))}
	}
	all, err := x.deployments(ctx)
	if err != nil {
		return answer{problems: one(unread("what was deployed", x.Home, "regions", err))}
	}
	a := answer{says: fmt.Sprintf("%d of them", len(guarded))}
	if !slices.Contains(guarded, x.Home) {
		a.add(Problem{Result: Warn, Region: x.Home, ID: "regions", Says: "the home region " + string(x.Home) + " is not guarded: the functions there ignore its events", Mend: "add it to regions in the policy file, and deploy"})
	}
	// Whoever lists a region means it; of all that are enabled, many stay empty.
	listed := len(x.Policy.Regions) > 0
	for _, region := range guarded {
		if _, ok := all[region]; ok || region == x.Home {
			continue
		}
		p := Problem{Result: Warn, Region: region, ID: "regions", Says: fmt.Sprintf("%s is guarded by the policy, and was never deployed", region), Mend: x.deploy(region)}
		if listed {
			p.Result, p.Mend = Fail, p.Mend+" # or take it out of regions in the policy file"
		}
		a.add(p)
	}
	return a
}

// mostMembers bounds the accounts that are entered in one examination.
const mostMembers = 200

func members(ctx context.Context, x *examination) answer {
	var accounts []fleet.AccountID
	for _, o := range x.Policy.Accounts {
		if o.ID != x.account && o.Role != "" {
			accounts = append(accounts, o.ID)
		}
	}
	var problems []Problem
	if x.Policy.Directory {
		listed, err := read(ctx, x, x.Accounts.Listed)
		if err != nil {
			problems = append(problems, unread("the accounts of the resource directory", "", "directory", err))
		}
		for _, id := range listed {
			if id != x.account {
				accounts = append(accounts, id)
			}
		}
	}
	slices.Sort(accounts)
	accounts = slices.Compact(accounts)
	if n := len(accounts) - mostMembers; n > 0 {
		problems = append(problems, Problem{Result: Warn, ID: "directory", Says: fmt.Sprintf("%d of %d accounts were entered; the nightly sweep reports each that it cannot enter", mostMembers, len(accounts)), Mend: "fleetwarden show latest"})
		accounts = accounts[:mostMembers]
	}
	a := answer{says: fmt.Sprintf("%d of them", len(accounts)), problems: problems}
	a.add(each(accounts, func(account fleet.AccountID) []Problem { return x.member(ctx, account) })...)
	return a
}

func (x *examination) member(ctx context.Context, account fleet.AccountID) []Problem {
	_, err := read(ctx, x, func(ctx context.Context) (struct{}, error) { return struct{}{}, x.Accounts.Enter(ctx, account) })
	switch class := fleet.ClassOf(err); {
	case class == fleet.Denied && !x.Inside:
		return one(Problem{Result: Warn, ID: string(account), Says: fmt.Sprintf("account %s cannot be entered with these credentials, which says nothing about the functions: %s", account, short(err)),
			Mend: "have the function look, which the role trusts: fleetwarden runs it each week, and s doctor invoke at once; or have the role trust the caller, who needs sts:AssumeRole on it"})
	case class == fleet.NotFound || class == fleet.Denied:
		return one(Problem{Result: Fail, ID: string(account), Says: fmt.Sprintf("account %s cannot be entered: %s", account, short(err)),
			Mend: memberMend(x, account) + "; and the functions need deploy/ram/optional/<function>-members.json"})
	case err != nil:
		return one(unread("account "+string(account), "", string(account), err))
	}
	role, err := read(ctx, x, func(ctx context.Context) (fleet.Role, error) { return x.Accounts.Role(ctx, account) })
	if fleet.ClassOf(err) == fleet.Denied || err == nil && role.Missing {
		return one(Problem{Result: Fail, ID: string(account), Says: fmt.Sprintf("the role of account %s was removed, or lacks the rights of deploy/ram/member: it may not read itself", account),
			Mend: memberMend(x, account)})
	}
	if err != nil {
		return one(unread("the role of account "+string(account), "", string(account), err))
	}
	return memberRole(x, account, role)
}

func commands(ctx context.Context, x *examination) answer {
	return answer{says: fmt.Sprintf("%d in each deployed region", len(x.Files.Commands)), problems: inRegions(ctx, x, func(region fleet.Region) []Problem {
		return each(x.Files.Commands, func(name string) []Problem {
			id, err := read(ctx, x, func(ctx context.Context) (string, error) { return x.Commands.Command(ctx, region, name) })
			switch {
			case err != nil:
				return one(unread("the Cloud Assistant command "+name, region, name, err))
			case id == "":
				return one(Problem{Result: Fail, Region: region, ID: name, Says: fmt.Sprintf("the Cloud Assistant command %s does not exist in %s", name, region), Mend: x.deploy(region)})
			}
			return nil
		})
	})}
}

package doctor

import (
	"context"
	"fmt"
	"slices"

	"fleetwarden/shared/deployment"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/rampolicy"
)

// rolesOf asks about each role that is wanted.
func rolesOf(ctx context.Context, x *examination, ask func(w deployment.Role, have *deployment.Role) []Problem) answer {
	all, err := x.wantedRoles(ctx)
	if err != nil {
		return answer{problems: one(unread("which rights the roles should have", "", "deploy/ram", err))}
	}
	return answer{says: fmt.Sprintf("%d of them", len(all)), problems: each(all, func(w deployment.Role) []Problem {
		have, err := x.role(ctx, w.Name)
		if err != nil {
			return one(unread("role "+w.Name, "", w.Name, err))
		}
		return ask(w, have)
	})}
}

func rolePolicies(ctx context.Context, x *examination) answer {
	mend := x.deploy(x.Home)
	return rolesOf(ctx, x, func(w deployment.Role, have *deployment.Role) (out []Problem) {
		if have == nil {
			return one(Problem{Result: Fail, ID: w.Name, Says: "role " + w.Name + " does not exist", Mend: mend})
		}
		for _, says := range w.Differences(*have) {
			out = append(out, Problem{Result: Fail, ID: w.Name, Says: cut(says), Mend: mend})
		}
		// Terraform names a function's own policy like its role. With nothing left of it, the
		// policy was detached rather than edited.
		if len(have.Statements) == 0 && len(w.Statements) > 0 {
			return one(Problem{Result: Fail, ID: w.Name, Says: "role " + w.Name + " has no policy, and its function can do nothing",
				Mend: fmt.Sprintf("aliyun ram AttachPolicyToRole --PolicyType Custom --PolicyName %s --RoleName %s # or, if there is no such policy: %s", w.Name, w.Name, mend)})
		}
		return out
	})
}

func platformRights(ctx context.Context, x *examination) answer {
	return rolesOf(ctx, x, func(w deployment.Role, have *deployment.Role) (out []Problem) {
		if have == nil {
			return nil // role-policies reports it
		}
		docs, err := documents(*have)
		if err != nil {
			return one(unread("the policies of role "+w.Name, "", w.Name, err))
		}
		for _, n := range []struct{ action, resource, lost string }{
			{"mns:SendMessage", fmt.Sprintf("acs:mns:%s:%s:/queues/%s/messages", x.Home, x.account, deadLetterQueue), "what its function cannot take to the end is lost"},
			{"log:PostLogStoreLogs", fmt.Sprintf("acs:log:%s:%s:project/%s/logstore/%s", x.Home, x.account, fleet.LogProject(fleet.Scope{Account: x.account, Region: x.Home}), fleet.LogStore), "its function's log is empty"},
		} {
			switch rampolicy.Grants(docs, []string{n.action}, n.resource) {
			case rampolicy.Allowed:
			case rampolicy.Denied:
				out = append(out, Problem{Result: Fail, ID: w.Name, Says: fmt.Sprintf("role %s may not %s on %s: %s", w.Name, n.action, n.resource, n.lost), Mend: x.deploy(x.Home)})
			default:
				out = append(out, Problem{Result: Unread, ID: w.Name, Says: fmt.Sprintf("whether role %s may %s on %s depends on a condition", w.Name, n.action, n.resource), Mend: "see role-policies"})
			}
		}
		return out
	})
}

// documents are the statements of a role as documents of their own.
func documents(r deployment.Role) (out []*rampolicy.Document, err error) {
	for _, s := range r.Statements {
		d, err := rampolicy.Parse(`{"Version":"1","Statement":[` + s + `]}`)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// memberRole compares the role of a member account with deploy/ram/member.
func memberRole(x *examination, account fleet.AccountID, have fleet.Role) []Problem {
	if x.Files.Member == "" {
		return nil
	}
	want, err := deployment.Statements([]byte(x.Files.Member))
	var role deployment.Role
	if err == nil {
		role, err = deployment.RoleOf(have)
	}
	if err != nil {
		return one(unread("the role of account "+string(account), "", string(account), err))
	}
	for _, s := range want {
		if !slices.Contains(role.Statements, s) {
			return one(Problem{Result: Warn, ID: string(account), Says: cut(fmt.Sprintf("role %s of account %s lacks %s", have.Name, account, s)), Mend: memberMend(x, account)})
		}
	}
	return nil
}

// memberMend are the commands that make a member's role, with that account's credentials.
func memberMend(x *examination, account fleet.AccountID) string {
	const terraform = "terraform -chdir=deploy/terraform/member"
	return fmt.Sprintf("%s workspace select -or-create %s && %s apply -var member=%s -var home=%s # with credentials of account %s",
		terraform, account, terraform, account, x.account, account)
}

package why

import (
	"cmp"
	"fmt"
	"strings"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rules/instances"
)

func (view) todoNothing() Todo { return Todo{Says: "nothing"} }

func (view) todoWait() Todo { return Todo{Says: "nothing but to wait; then ask again"} }

// afterwards also has what to do about what [both] says.
func afterwards(todo func(view) Todo) func(view) Todo {
	return func(x view) Todo {
		first, then := todo(x), Todo{}
		if _, on := x.pause(); x.mode() == policy.Audit {
			then = x.todoAudit()
		} else if on {
			then = x.todoPaused()
		} else {
			return first
		}
		return Todo{Says: first.String() + "; then " + then.Says, Command: then.Command}
	}
}

// todoRights is for what could not be read: a right may be missing, or time may help.
func (x view) todoRights() Todo {
	reason := x.v.Reason
	switch {
	case x.v.Rule != "":
	case x.Place.Found:
		reason = x.Judged.Why
	default:
		reason = x.Place.Unread[0].Why
	}
	switch {
	case lacking(reason) != "" && len(x.Denied) > 0:
		return Todo{Says: "give whom you work as the right to " + strings.Join(x.Denied, ", ") + ", and ask again"}
	case x.v.Remedy != "":
		return Todo{Says: x.v.Remedy}
	}
	return Todo{Says: "ask again in a minute"}
}

func (x view) todoPauseUnread() Todo {
	switch {
	case x.BadOrder != "":
		return Todo{Says: "remove " + x.BadOrder + " from the ledger's bucket"}
	case lacking(x.Pauses.Why) != "" && len(x.Denied) > 0:
		return Todo{Says: "give whom you work as the right to " + strings.Join(x.Denied, ", ") + ", and ask again"}
	}
	return Todo{Says: "ask again in a minute"}
}

// deploy is the command that deploys the functions which act on the subject. With the policy file
// at hand: without one, make takes that of the repository.
func (f *Facts) deploy() string {
	return policy.DeployCommand(f.File, f.deployedIn(), f.Home.Region)
}

// deployFile is the same for a policy file that is edited first.
func (f *Facts) deployFile() string {
	return policy.DeployCommand(cmp.Or(f.File, "FILE"), f.deployedIn(), f.Home.Region)
}

func (x view) todoDeploy() Todo { return Todo{Says: "deploy its region", Command: x.deploy()} }

func (x view) todoNotFound() Todo {
	return Todo{Says: "check the id, and name the account and region that it is in", Command: "fleetwarden why --account ID --region ID " + x.name()}
}

func (x view) todoUnguarded() Todo {
	key := "regions"
	if !x.Policy.Knows(x.Ref.Scope.Account) {
		key = "accounts"
	}
	return Todo{Says: "add it to " + key + " of the policy file, and deploy there", Command: x.deployFile()}
}

func (x view) todoOff() Todo {
	return Todo{Says: "set " + modeKey(x.controls()[0]) + " to audit or enforce in the policy file, and deploy it", Command: x.deployFile()}
}

func (x view) todoPolicy() Todo {
	return Todo{Says: "name the file that is deployed by --policy, or deploy this one", Command: x.deployFile()}
}

func (x view) todoAudit() Todo {
	if x.Policy.Partly(x.v.Control) {
		return Todo{Says: "add it to " + partKey(x.v.Control) + " in the policy file, and deploy it", Command: x.deployFile()}
	}
	return Todo{Says: "set " + modeKey(x.v.Control) + " to enforce in the policy file, and deploy it", Command: x.deployFile()}
}

func (x view) todoUncovered() Todo {
	return Todo{Says: "have " + partKey(x.v.Control) + " in the policy file also take what that names, and deploy it", Command: x.deployFile()}
}

// partKey is the key of the part of a control that is enforced.
func partKey(control string) string {
	return strings.TrimSuffix(modeKey(control), "mode") + "enforceFor"
}

// modeKey is the key of a control's mode in the policy file.
func modeKey(control string) string {
	first, rest, _ := strings.Cut(control, "-")
	if rest != "" {
		rest = strings.ToUpper(rest[:1]) + rest[1:]
	}
	return "controls." + first + rest + ".mode"
}

func (x view) todoPaused() Todo {
	return Todo{Says: "wait for its end, or end it for this control and account",
		Command: fmt.Sprintf("fleetwarden resume --control %s --account %s --reason TEXT", x.v.Control, x.Ref.Scope.Account)}
}

func (x view) todoLacks() Todo {
	if x.Ref.Scope.Account != x.Home.Account {
		return Todo{Says: "give that role the right (deploy/ram/member/policy.json)"}
	}
	return Todo{Says: "restore the rights of the role from deploy/ram", Command: x.deploy()}
}

func (x view) todoRemedy() Todo {
	if x.v.Remedy == "" {
		return Todo{Says: "nothing is known to help"}
	}
	return Todo{Says: x.v.Remedy}
}

func (x view) todoPush() Todo {
	run, _ := x.failedRun()
	return Todo{Says: instances.Manual(x.Listed.V.OSType, run)}
}

func (x view) todoSilent() Todo {
	if x.v.Outcome == fleet.Violation && x.v.Remedy != "" && !x.due() {
		return Todo{Says: x.v.Remedy} // the patience has ended
	}
	return Todo{Says: "start the Cloud Assistant client on the instance; or " + instances.Manual(x.Listed.V.OSType, fleet.Invocation{})}
}

func (x view) todoHeld() Todo {
	return Todo{Says: "let a part through, and apply the plan that it prints", Command: fmt.Sprintf("fleetwarden plan%s --control %s --part", x.flags(), x.v.Control)}
}

func (x view) todoCheck() Todo {
	if x.Kind != fleet.KindInstance {
		return Todo{Says: "have it checked and repaired now", Command: fmt.Sprintf("fleetwarden plan%s --control %s", x.flags(), x.v.Control)}
	}
	return Todo{Says: "have it checked and repaired now", Command: fmt.Sprintf("fleetwarden check%s --control %s --apply %s", x.flags(), x.v.Control, x.ID)}
}

func (x view) todoUnheard() Todo {
	todo := x.todoCheck()
	todo.Says = "find out by fleetwarden doctor why its event did not arrive, and " + todo.Says
	return todo
}

func (x view) todoNotRead() Todo {
	h := x.History
	if !h.Seen() || len(h.V.Unread) > 0 {
		return Todo{Says: "mend what could not be read of the ledger, which the end of the page names, and ask again"}
	}
	most := ""
	if h.V.Read < h.V.Listed {
		most = fmt.Sprintf(" --most %d --within 10m", 10*max(h.V.Listed, 2000))
	}
	return Todo{Says: "read all of it since its launch", Command: fmt.Sprintf("fleetwarden why%s --since %s%s %s", x.flags(), stamp(x.Listed.V.Created), most, x.ID)}
}

// flags name the place of the subject.
func (x view) flags() string {
	text := " --account " + string(x.Ref.Scope.Account)
	if x.Ref.Scope.Region != "" {
		text += " --region " + string(x.Ref.Scope.Region)
	}
	return text
}

func (x view) todoTrail() Todo {
	if len(x.Trails.V) == 0 {
		return Todo{Says: "make a trail that logs write calls of all regions", Command: policy.DeployCommand(x.File, x.Home.Region, x.Home.Region)}
	}
	return Todo{Says: "start the trail, then have what was missed checked by fleetwarden replay", Command: "aliyun actiontrail StartLogging --Name " + x.Trails.V[0].Name + " --region " + string(x.Home.Region)}
}

func (x view) todoExempt() Todo {
	return Todo{Says: "nothing until it ends; to end it now, remove the exemption from the policy file, and deploy it", Command: x.deployFile()}
}

func (x view) todoOutside() Todo {
	return Todo{Says: "if it is to be covered, change include or exclude of the control in the policy file, and deploy it", Command: x.deployFile()}
}

func (x view) todoOrdinary() Todo {
	return Todo{Says: "nothing; an instance is judged as a trusted one if its family ends in t, or if it was launched with vTPM or Enclave"}
}

package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stack"
)

// The tags that the policy's consequences leave, as README documents them.
const (
	tagViolation = "fleetwarden:violation"
	tagStopped   = "fleetwarden:stopped"
)

// firstID is the id of the first instance of each world: the policy exempts it alone from
// system-disk.
const firstID = "i-local000000000000001"

// approved are the accounts that the policy approves as sharees; unapproved is another.
func (w World) approved() []string {
	out := []string{server.Sharee, server.Member}
	if w.Approve != "" && !(w.Directory && slices.Contains(w.Members, server.Sharee)) {
		out = out[1:] // the sharee is outside of the directory
	}
	if len(w.Members) > 0 && w.Approve == "" {
		out = append(out, server.Sharer)
	}
	return out
}

const unapproved = "1000000000000008"

// findingsQueue is the queue that a policy's findings may go to; it has no reader here.
const findingsQueue = "fleetwarden-findings"

// policy is the policy file of a world. What has the tag env=lab is out of scope; what has
// waiver=yes is exempt from system-disk, and waiver=lapsed was so once.
func (w World) policy() string {
	scope := "exclude: [{tags: {env: lab}}]"
	if w.Include {
		scope += ", include: [{regions: [" + strings.Join(w.Regions, ", ") + "]}]"
	}
	sinks := "least: low"
	if w.Findings {
		sinks = "findings: " + findingsQueue
	}
	var trusted []string
	for _, account := range w.approved() {
		trusted = append(trusted, fmt.Sprintf("{id: %q, trust: now}", account))
	}
	approve := "accounts: [" + strings.Join(trusted, ", ") + "]"
	if w.Approve != "" {
		approve = w.Approve + ": now"
	}
	return fmt.Sprintf(`version: 1
%[19]s
homeRegion: %[1]s
regions: [%[2]s]
controls:
  trustedInstance: {mode: %[3]s, consequence: %[4]s, grace: %[5]s, imds: true, %[13]s}
  instanceRole: {mode: %[3]s, conflict: %[6]s, attachAfter: %[7]s, %[13]s}
  agent: {mode: %[3]s, push: %[17]s, %[13]s}
  shareRole:
    mode: %[3]s
    takeBack: %[8]s
    takeBackAfter: 1h
    approved: {%[20]s}
exemptions:
  - {control: trusted-instance, rule: system-disk, tags: {waiver: "yes"}, owner: chaos, reason: waived, expires: 2027-01-31}
  - {control: trusted-instance, rule: system-disk, tags: {waiver: lapsed}, owner: chaos, reason: it was, expires: 2025-12-31}
  - {control: trusted-instance, rule: system-disk, instances: [%[14]s], regions: [%[2]s], owner: chaos, reason: the first, expires: 2027-01-31}
limits: {maxChanges: %[9]d, maxPercent: %[10]d, percentAbove: %[15]d, maxPerHour: %[11]d, perPass: %[12]d}
pacing: {callsPerInvocation: %[16]d}
sinks: {%[18]s}
`, w.Regions[0], strings.Join(w.Regions, ", "), w.Mode, w.Consequence, minutes(w.Grace), w.Conflict, minutes(w.AttachAfter), w.TakeBack,
		w.MaxChanges, w.MaxPercent, w.PerHour, w.PerPass, scope, firstID, w.PercentAbove, w.Budget, w.Push, sinks, w.accountsInPolicy(), approve)
}

// accounts are those that the policy speaks for, home first.
func (w World) accounts() []string { return append([]string{server.Sharer}, w.Members...) }

// last is the account in which a foreign role or policy stands.
func (w World) last() string { return w.accounts()[len(w.Members)] }

func (w World) accountsInPolicy() string {
	out := []string{fmt.Sprintf("{id: %q}", server.Sharer)}
	if w.Directory {
		return "accounts: [" + out[0] + "]\ndirectory: {role: " + stack.Member + "}"
	}
	for _, account := range w.Members {
		out = append(out, fmt.Sprintf("{id: %q, role: %s}", account, stack.Member))
	}
	return "accounts: [" + strings.Join(out, ", ") + "]"
}

// foreignPolicy reports whether the policy with our name is foreign in an account.
func (w World) foreignPolicy(account string) bool { return w.ForeignPolicy && account == w.last() }

// foreignRole reports whether a share role is foreign in an account.
func (w World) foreignRole(account, kind string) bool {
	return w.ForeignRole && kind == "image" && account == w.last()
}

// called is the name of a role in an account. In members, app-role is fit, and fit-role is
// not: what a role of some name allows is a matter of the account.
func called(account, role string) string {
	other := map[string]string{"app-role": "fit-role", "fit-role": "app-role"}[role]
	if account == server.Sharer || other == "" {
		return role
	}
	return other
}

// minutes is a duration as the policy file takes it: one number and one unit.
func minutes(d Duration) string { return fmt.Sprintf("%dm", int(time.Duration(d).Minutes())) }

// grants are the optional rights that the policy's choices need.
func (w World) grants() []string {
	out := []string{"backfill-undo"}
	if w.Conflict != "report" {
		out = append(out, "attach-role-"+w.Conflict)
	}
	if w.Consequence != "none" {
		out = append(out, "validate-instance-"+w.Consequence)
	}
	if w.Push != "commands" {
		out = append(out, "push-agent-"+w.Push)
	}
	if w.Findings {
		for _, function := range []string{"attach-role", "push-agent", "setup-share-role", "sweep", "validate-instance"} {
			out = append(out, function+"-findings")
		}
	}
	return out
}

// tags are those of an instance by its word in a step.
func tags(word string) map[string]string {
	return map[string]map[string]string{"lab": {"env": "lab"}, "waived": {"waiver": "yes"}, "lapsed": {"waiver": "lapsed"}}[word]
}

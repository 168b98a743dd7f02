package policy

import (
	"fleetwarden/shared/fleet"
)

const must = true

// root describes the whole file, bound to p. It is the only definition of the file's keys.
func (p *Policy) root() object {
	return object{fields: []field{
		{"version", version{}, "The layout of this file.", must},
		{"accounts", list[Account]{to: &p.Accounts, item: (*Account).fields},
			"The accounts the policy speaks for. Left out: only the account the functions run in.", false},
		{"directory", p.Directory.fields(), "The accounts of our resource directory. Left out: those of accounts alone.", false},
		{"homeRegion", text[fleet.Region]{&p.HomeRegion, formRegion},
			"The region of the functions that exist once. Left out: that of the deployment.", false},
		{"regions", regions{&p.Regions}, "The guarded regions: auto for all that are enabled, or a list.", false},
		{"selfManaged", selectors(&p.SelfManaged),
			"What the operator's own trust service looks after: systrust-role and trust-client leave it alone.", false},
		{"controls", object{fields: []field{
			{"trustedInstance", p.TrustedInstance.fields(), "Judges what cannot be repaired after a launch.", false},
			{"instanceRole", p.InstanceRole.fields(), "Gives instances the RAM role of the trusted system.", false},
			{"agent", p.Agent.fields(), "Brings Security Center's agent online, and the trust client of 6t families.", false},
			{"shareRole", p.ShareRole.fields(), "Keeps the two roles that sharing of encrypted snapshots and images needs.", false},
		}}, "What is looked at and what may be changed.", false},
		{"exemptions", list[Exemption]{to: &p.Exemptions, item: (*Exemption).fields},
			"Violations that are excused, for a time, by their owner's decision.", false},
		{"limits", p.Limits.fields(), "Stops for what would change too much, and the rate of a pass: each for an account, region and control.", false},
		{"pacing", p.Pacing.fields(), "How many API calls one invocation may spend before it queues the rest.", false},
		{"sinks", p.Sinks.fields(), "Where records go besides the function's log.", false},
		{"notify", p.Notify.fields(), "Who is notified of what, beside that.", false},
	}}
}

func (a *Account) fields() value {
	return object{fields: []field{
		{"id", unique{accountID{&a.ID}, "accounts"}, "The account's number.", must},
		{"name", text[string]{&a.Name, formLine}, "A name for people.", false},
		{"role", text[string]{&a.Role, formRole}, "The RAM role to assume there. Left out: that of directory, if any; our own account needs none.", false},
	}}
}

func (d *Directory) fields() value {
	return object{fields: []field{
		{"role", text[string]{&d.Role, formRole}, "The RAM role to assume in each account.", must},
	}}
}

// fields describes the keys of all controls; id is the control's, item binds a selector.
func (c *Control) fields(id string, item func(*Selector) value) []field {
	return []field{
		{"mode", choice[Mode]{&c.Mode, words(Off, Audit, Enforce)},
			"off, audit (says what it would change, and writes nothing beyond enforceFor) or enforce.", false},
		{"enforceFor", inAudit{list[Selector]{to: &c.EnforceFor, item: item}, &c.Mode},
			"With audit alone: what the control enforces, step by step; the rest is audited. An empty list enforces nothing.", false},
		{"include", list[Selector]{to: &c.Include, item: item}, "What the control looks at. Left out: everything.", false},
		{"exclude", list[Selector]{to: &c.Exclude, item: item}, "What it leaves alone; wins over include.", false},
		{"skip", list[string]{to: &c.Skip, item: choices(Rules(id))}, "Rules of this control that are not asked.", false},
	}
}

func (t *TrustedInstance) fields() value {
	return object{fields: append(t.Control.fields(ControlTrustedInstance, (*Selector).fields), []field{
		{"require", choice[string]{&t.Require, []string{RequireCandidates, RequireAll}},
			"candidates: judge instances that are meant to be trusted. all: report also those that should have been.", false},
		{"families", list[Family]{to: &t.Families, item: (*Family).fields, least: 1},
			"The instance families that can be trusted, each with the place that says so.", false},
		{"systemDisk", list[string]{to: &t.SystemDisk, item: texts(formDisk), least: 1}, "The accepted categories of a system disk.", false},
		{"imds", toggle{&t.IMDS}, "Ask for instance metadata by token only (rule imds).", false},
		{"hardening", t.Hardening.fields(), "The scope of hardening-asked, which is about trusted instances and all others.", false},
		{"consequence", choice[string]{&t.Consequence, []string{ConsequenceNone, ConsequenceTag, ConsequenceStop}},
			"What an observed violation brings; tag and stop need deploy/ram/optional.", false},
		{"grace", duration{&t.Grace}, "The time between the first sweep that finds a violation and the consequence, which a later sweep brings about.", false},
	}...)}
}

func (h *Hardening) fields() value {
	return object{fields: []field{
		{"include", list[Selector]{to: &h.Include, item: (*Selector).fields}, "What the rule is asked of, in place of the control's include.", false},
		{"exclude", list[Selector]{to: &h.Exclude, item: (*Selector).fields}, "What it leaves alone, beside the control's exclude.", false},
	}}
}

func (f *Family) fields() value {
	return object{fields: []field{
		{"name", text[string]{&f.Name, formFamily}, "The bare family, such as g7t.", must},
		{"source", text[string]{&f.Source, formWords}, "Where it says that the family can be trusted.", must},
		{"date", date{&f.Date}, "The day of that source.", must},
	}}
}

func (r *InstanceRole) fields() value {
	return object{fields: append(r.Control.fields(ControlInstanceRole, (*Selector).fields), []field{
		{"role", text[string]{&r.Role, formRole}, "The RAM role to attach.", false},
		{"policy", choice[string]{&r.Policy, []string{PolicyLeast, PolicySystem}},
			"What the role is granted: our own policy of four actions, or the system policy.", false},
		{"conflict", choice[string]{&r.Conflict, []string{ConflictReport, ConflictGrant, ConflictReplace}},
			"What to do with an instance that has another role: report it, grant our policy to that role, or replace the role.", false},
		{"attachAfter", duration{&r.AttachAfter}, "The time after a launch that is left to others to attach their own role.", false},
		{"warnOverBroad", toggle{&r.WarnOverBroad}, "Warn of roles that may do everything (rule over-broad-role).", false},
	}...)}
}

func (a *Agent) fields() value {
	return object{fields: append(a.Control.fields(ControlAgent, (*Selector).fields), []field{
		{"push", choice[string]{&a.Push, []string{PushCommands, PushRunCommand, PushOneClick}},
			"How the agent is installed; run-command and one-click need deploy/ram/optional.", false},
		{"deadline", duration{&a.Deadline}, "How long a silent Cloud Assistant is asked again before a person has to act.", false},
		{"trustClient", toggle{&a.TrustClient}, "Look after the trust client of 6t families (rule trust-client).", false},
	}...)}
}

func (s *ShareRole) fields() value {
	return object{fields: append(s.Control.fields(ControlShareRole, (*Selector).accountFields), []field{
		{"approved", s.Approved.fields(), "Who may be trusted. A sharee outside is reported and not trusted.", false},
		{"takeBack", choice[string]{&s.TakeBack, []string{TakeBackReport, TakeBackEnforce}}, "What to do with trust that is no longer needed.", false},
		{"takeBackAfter", duration{&s.TakeBackAfter}, "How long a share must have been absent before trust is taken back.", false},
		{"keyPolicy", choice[string]{&s.KeyPolicy, []string{KeysInUse, KeysAll}}, "Grant exactly the keys in use, or attach AliyunKMSFullAccess.", false},
	}...), removed: map[string]string{
		"retryFailedShare": "removed: Fleetwarden makes the grant and shares nothing itself; delete the key, and make the call that failed again",
	}}
}

func (a *Approved) fields() value {
	trust := []string{TrustNow, TrustAhead}
	account := func(a *ApprovedAccount) value {
		return object{fields: []field{
			{"id", unique{accountID{&a.ID}, "approved"}, "The account's number.", must},
			{"trust", choice[string]{&a.Trust, trust}, "now: once something is shared with it. ahead: before the first share.", false},
		}}
	}
	folder := func(f *ApprovedFolder) value {
		return object{fields: []field{
			{"id", unique{text[string]{&f.ID, formFolder}, "folders"}, "The folder's id, fd-….", must},
			{"trust", choice[string]{&f.Trust, trust}, "now: once something is shared with it. ahead: before the first share.", false},
		}}
	}
	return object{fields: []field{
		{"accounts", list[ApprovedAccount]{to: &a.Accounts, item: account, fresh: ApprovedAccount{Trust: TrustNow}}, "Single accounts.", false},
		{"folders", list[ApprovedFolder]{to: &a.Folders, item: folder, fresh: ApprovedFolder{Trust: TrustNow}}, "Folders of our own resource directory.", false},
		{"directory", choice[string]{&a.Directory, trust}, "Our whole own resource directory, now or ahead. Left out: not approved.", false},
	}}
}

func (l *Limits) fields() value {
	const most = 1_000_000
	return object{fields: []field{
		{"maxChanges", number{&l.MaxChanges, 0, most}, "A stop: the largest number of changes of a sweep or a plan.", false},
		{"maxPercent", number{&l.MaxPercent, 0, 100}, "A stop: the largest share of the things seen that a sweep or a plan may change.", false},
		{"percentAbove", number{&l.PercentAbove, 0, most}, "The number of changes up to which maxPercent is not asked.", false},
		{"maxPerHour", number{&l.MaxPerHour, 0, most}, "A stop: the largest number of changes that disturb a workload (a role replaced or detached, an instance stopped) within an hour, over all passes.", false},
		{"perPass", number{&l.PerPass, 0, most}, "A rate: the number of changes of one pass; the rest follows in later passes. 0: no rate.", false},
	}}
}

func (p *Pacing) fields() value {
	const most = 1_000_000
	calls := func(n *int) value { return number{n, 1, most} }
	return object{fields: []field{
		{"callsPerInvocation", calls(&p.CallsPerInvocation), "The budget of each API that calls does not name.", false},
		{"calls", dict[int]{to: &p.Calls, keys: formAPI, item: calls}, "Budgets by the name of the API.", false},
	}}
}

func (s *Sinks) fields() value {
	return object{fields: []field{
		{"findings", text[string]{&s.Findings, formQueue}, "A queue of the home region that gets a copy of each live finding, and one message a sweep that names its report's files.", false},
		{"least", choice[fleet.Severity]{&s.Least, words(fleet.Severities()...)},
			"The least severity that queue gets.", false},
	}}
}

func texts(f form) func(*string) value {
	return func(s *string) value { return text[string]{s, f} }
}

func choices(words []string) func(*string) value {
	return func(s *string) value { return choice[string]{s, words} }
}

func words[S ~string](typed ...S) []string {
	plain := make([]string, len(typed))
	for i, word := range typed {
		plain[i] = string(word)
	}
	return plain
}

package instances

import (
	"strconv"
	"strings"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/rules/verdict"
)

// TagTrustClient marks an instance on which our command installed the trust client; its
// value is the version of the command's script.
const TagTrustClient = "fleetwarden:trust-client"

// TrustClientVersion is the version of the script that is pushed.
const TrustClientVersion = "2"

// leastAssistant is the oldest Cloud Assistant client that supports metadata by token only,
// on Linux.
const leastAssistant = "2.2.3.857"

// WantsTrustClient reports whether the rule trust-client needs an instance's user data: a
// trusted instance of the sixth generation without our tag.
func WantsTrustClient(i *fleet.Instance) bool {
	l := i.Listed.V
	family, enhanced := l.Generation()
	_, tagged := l.Tags[TagTrustClient]
	return enhanced && generation(family) == 6 && !tagged && l.OSType == "linux" && l.Status == "Running"
}

// trustClient: trusted instances of the sixth generation need the trust client, which their
// user data installs. Later generations have it in the image; no API shows it.
func trustClient(s *subject) fleet.Verdict {
	l := s.inst.Listed.V
	family, enhanced := l.Generation()
	is, _ := candidacy(s.inst)
	switch {
	case !is || l.Status != "Running":
		return fleet.Verdict{}
	case !enhanced || generation(family) != 6:
		return verdict.NotAssessable("no API shows whether the trust client, which images of generation 7 and later bring, runs; Security Center shows the instance's trust state")
	}
	if v, ok := s.served(); !ok {
		return v
	}
	if _, ok := l.Tags[TagTrustClient]; ok {
		return verdict.NotAssessable("the tag " + TagTrustClient + " says that our command installed the trust client, and no API shows whether it runs; the ledger has what we installed, and " + verdict.AnyTagger)
	}
	switch script := s.inst.TrustScript; {
	case l.OSType != "linux":
		return verdict.NotApplicable("the trust client is for Linux")
	case !script.Seen():
		return verdict.Undecided("the user data could not be read: " + script.Why)
	case script.V != "":
		return verdict.Passes("the user data installs the trust client", verdict.Observed("install script", script.V))
	}
	return s.trustClientRun()
}

// trustClientRun evaluates our command's run, and pushes it where there was none yet.
func (s *subject) trustClientRun() fleet.Verdict {
	e := []fleet.Evidence{verdict.Observed("install script", "")}
	run, ok := s.lastRun(fleet.CommandTrustClient)
	if ok {
		e = append(e, verdict.Observed("installation", run.Status))
	}
	recent := ok && s.world.At.Sub(run.Created) < installing
	spent := s.runs(fleet.CommandTrustClient) >= maxPushes
	switch {
	case ok && !run.Final():
		return fleet.Verdict{Outcome: fleet.Pending, Again: wait(s.inst.Ref.Try.N + 1), Reason: "the trust client is being installed", Evidence: e}
	case ok && run.Status == "Success":
		v := verdict.Violation(fleet.Low, "the trust client was installed, and the instance does not carry the tag that says so", "none: the tag is put, where the policy enforces", e...)
		return s.change(v, nil, fleet.Change{Kind: fleet.TagInstance, Ref: s.inst.Ref, Want: TagTrustClient + "=" + TrustClientVersion, Reason: v.Reason})
	case recent || spent || s.overdue():
		v := verdict.Violation(fleet.High, "the trust client is not installed", "run deploy/commands/trust-client.sh on the instance as root", e...)
		if ok {
			v.Reason += ": the command ended with " + ended(run)
			if run.ExitCode == exitNoCurl {
				v.Remedy = "install curl on the instance; then " + v.Remedy
			}
		}
		if !spent && !s.overdue() {
			v.Again = installing
		}
		return v
	case s.inst.Listed.V.HTTPTokens == "required" && s.inst.Assistant.Seen() && older(s.inst.Assistant.V.Version, leastAssistant):
		return verdict.Violation(fleet.High, "Cloud Assistant "+s.inst.Assistant.V.Version+" is too old for instance metadata by token only",
			"upgrade Cloud Assistant to "+leastAssistant+" or later", append(e, verdict.Observed("Cloud Assistant", s.inst.Assistant.V.Version))...)
	}
	v := verdict.Violation(fleet.High, "the trust client is not installed: the user data lacks its script", "none: Cloud Assistant installs it, where the policy enforces", e...)
	return s.push(v, fleet.Change{Kind: fleet.PushTrustClient, Ref: s.inst.Ref, Want: TrustClientVersion, Reason: v.Reason})
}

// older compares versions of numbers separated by dots. Any other text is older.
func older(version, least string) bool {
	have, want := strings.Split(version, "."), strings.Split(least, ".")
	for i := range want {
		if i >= len(have) {
			return true
		}
		h, err := strconv.Atoi(have[i])
		w, _ := strconv.Atoi(want[i])
		if err != nil || h != w {
			return err != nil || h < w
		}
	}
	return false
}

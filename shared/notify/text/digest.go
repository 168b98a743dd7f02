package text

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/notify"
	"fleetwarden/shared/policy"
)

const (
	mostRules = 15
	mostItems = 10
	mostFew   = 5
)

// digest writes the digest of a sweep, which counts until a time.
func (w writer) digest(d notify.Digest, at time.Time) notify.Document {
	var sum notify.RuleDigest
	for _, r := range d.Rules {
		sum.Failing, sum.New, sum.Fixed, sum.Uncompared = sum.Failing+r.Failing, sum.New+r.New, sum.Fixed+r.Fixed, sum.Uncompared+r.Uncompared
	}
	doc := notify.Document{Title: w.sweep.with(w.headline(d, sum)), Tone: tone(d)}
	if address := w.reportLink(d.Report); address != "" {
		doc.Links = []notify.Link{{Text: w.report, URL: address}}
	}
	doc.Sections = slices.DeleteFunc([]notify.Section{
		{Lines: w.numbers(d, sum)},
		section(w, w.byRule, d.Rules, mostRules, len(d.Rules), func(r notify.RuleDigest) []notify.Line {
			return labelled(w.severity(r.Severity), w.ruleLine.with(w.rule(r.Control, r.Rule), line(r.Rule, most), w.moved(r)))
		}),
		section(w, w.notRead, d.NotRead, mostFew, d.Unread, func(x notify.NotReadDigest) []notify.Line {
			return labelled(w.place(x.Account, x.Region), line(x.Why, mostItem))
		}),
		section(w, w.held, d.Held, mostItems, len(d.Held), w.heldItem),
		w.pauseSection(d),
		section(w, w.exemptions, d.Expiring, mostItems, len(d.Expiring), func(e notify.ExpiringDigest) []notify.Line {
			when := w.ends
			if !e.Expires.After(at) {
				when = w.ended
			}
			item := join(" · ", ruleName(e.Control, e.Rule), w.owner.with(line(e.Owner, most)), when.with(w.time(e.Expires)))
			return append(labelled("", item), labelled(w.given, line(e.Reason, mostItem))...)
		}),
		{Lines: w.whole(d, doc.Links)},
	}, func(s notify.Section) bool { return len(s.Lines) == 0 })
	return doc
}

// whole says where the report is, unless there is a link, and how it is fetched.
func (w writer) whole(d notify.Digest, links []notify.Link) (out []notify.Line) {
	if len(links) == 0 {
		out = labelled(w.report, line(d.Report, mostItem))
	}
	if fleet.Plain(d.Run) {
		out = append(out, command(w.fetch, "fleetwarden report "+d.Run+" --out report")...)
	}
	return out
}

// headline is the title of a digest in short.
func (w writer) headline(d notify.Digest, sum notify.RuleDigest) string {
	if d.Well() {
		return w.allWell.count(d.Seen)
	}
	violations := w.noViolation
	switch {
	case sum.Failing > 0:
		violations = w.violations.count(sum.Failing)
	case d.Elsewhere > 0:
		violations = w.noneHere
	}
	if sum.New > 0 {
		violations = w.bracketed.with(violations, w.isNew.count(sum.New))
	}
	var held int
	for _, h := range d.Held {
		held += h.N
	}
	paused := ""
	if len(d.Pauses) > 0 || d.PausesNotRead != "" {
		paused = w.paused
	}
	if d.Seen == 0 {
		violations = w.nothing
	}
	return join(w.separator, violations, w.fixed.some(sum.Fixed), w.unread.some(d.Unread), w.undecided.some(d.Undetermined), w.heldChanges.some(held), paused)
}

// numbers are the first lines of a digest.
func (w writer) numbers(d notify.Digest, sum notify.RuleDigest) (out []notify.Line) {
	number := func(label string, n int, unknown string) {
		text := strconv.Itoa(n)
		if unknown != "" {
			if n == 0 {
				text = "–" // which is not to say that there are none
			}
			text = w.bracketed.with(text, unknown)
		}
		out = append(out, labelled(label, text)...)
	}
	out = labelled(w.checked, w.resources.count(d.Seen))
	number(w.failing, sum.Failing, "")
	number(w.newLabel, sum.New, w.uncompared.some(sum.Uncompared))
	number(w.fixedLabel, sum.Fixed, w.uncomparedParts.some(d.Uncompared))
	out = append(out, labelled(w.notRead, w.parts.some(d.Unread))...)
	out = append(out, labelled(w.notDetermined, w.results.some(d.Undetermined))...)
	out = append(out, labelled("", w.elsewhere.some(d.Elsewhere))...)
	return append(out, labelled(w.swept, w.bracketed.with(w.time(d.Started)+" – "+w.time(d.Ended), w.zone()))...)
}

// moved is how many resources a rule finds fault with, and how they have moved.
func (w writer) moved(r notify.RuleDigest) string {
	moves := join(w.comma, w.isNew.some(r.New), w.fixed.some(r.Fixed), w.uncompared.some(r.Uncompared))
	if moves == "" {
		return strconv.Itoa(r.Failing)
	}
	return w.bracketed.with(strconv.Itoa(r.Failing), moves)
}

// place is an account in a region, or what it shares.
func (w writer) place(a fleet.AccountID, r fleet.Region) string {
	if r == "" {
		return join(w.comma, w.name(a), w.shares)
	}
	return join(w.comma, w.name(a), line(string(r), most))
}

func (w writer) heldItem(h notify.HeldDigest) []notify.Line {
	since := ""
	if !h.Since.IsZero() {
		since = w.since.with(w.time(h.Since))
	}
	item := join(" · ", ruleName(h.Control, h.Rule), w.changed.count(h.N), w.place(h.Account, h.Region), since)
	out := append(labelled("", item), labelled(w.reason, line(h.Why, mostItem))...)
	if h.Limit && h.Account.Valid() && (h.Region == "" || h.Region.Valid()) && fleet.Plain(h.Control) {
		out = append(out, command(w.letThrough, policy.PlanPart(fleet.Scope{Account: h.Account, Region: h.Region}, h.Control))...)
	}
	return out
}

// pauseSection lists the pauses. One that cannot be read stops all changes.
func (w writer) pauseSection(d notify.Digest) notify.Section {
	s := section(w, w.pauses, d.Pauses, mostFew, len(d.Pauses), w.pauseItem)
	s.Lines = append(s.Lines, labelled(w.notRead, line(d.PausesNotRead, mostItem))...)
	return s
}

func (w writer) pauseItem(p notify.PauseDigest) []notify.Line {
	subject, account := w.allChanges, ""
	if p.Control != "" {
		subject = w.control.with(line(p.Control, most))
	}
	if p.Account != "" {
		account = w.inAccount.with(w.name(p.Account))
	}
	item := join(" · ", subject, account, w.until.with(w.time(p.Until)), w.by.with(line(p.By, mostItem)))
	out := append(labelled("", item), labelled(w.given, line(p.Reason, mostItem))...)
	if (p.Control == "" || fleet.Plain(p.Control)) && (p.Account == "" || p.Account.Valid()) {
		out = append(out, command(w.endPause, fleet.Order{Control: p.Control, Account: p.Account}.End())...)
	}
	return out
}

// tone is that of the most severe thing that a digest has: a finding of its own is high for what
// is held, paused or not read.
func tone(d notify.Digest) fleet.Severity {
	if d.Well() {
		return ""
	}
	worst := fleet.Info
	for _, r := range d.Rules {
		if r.Failing > 0 && r.Severity.Rank() > worst.Rank() {
			worst = r.Severity
		}
	}
	if (d.PausesNotRead != "" || d.Unread+len(d.Held)+len(d.Pauses) > 0) && worst.Rank() < fleet.High.Rank() {
		worst = fleet.High
	}
	return worst
}

// reportLink is the address in the OSS console of a folder of the ledger; "" where that is not
// known. No document has the form of such addresses: it is the one that the console shows.
func (w writer) reportLink(report string) string {
	bucket, folder, ok := strings.Cut(strings.TrimPrefix(report, "oss://"), "/")
	parts := strings.Split(strings.TrimSuffix(folder, "/"), "/")
	if !ok || !strings.HasPrefix(report, "oss://") || !fleet.Plain(bucket) || !w.links.Home.Valid() || len(report) > mostItem ||
		slices.ContainsFunc(parts, func(p string) bool { return !fleet.Plain(p) }) {
		return ""
	}
	return "https://oss.console.aliyun.com/bucket/oss-" + string(w.links.Home) + "/" + bucket + "/object?path=" + strings.Join(parts, "%2F") + "%2F"
}

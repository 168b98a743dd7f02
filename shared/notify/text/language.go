package text

import (
	"fmt"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// language has the texts of one language. A test compares all of them with those of English.
type language struct {
	// severities, rules and changes are the words and titles by id. The rules are those of the
	// policy, and those by which functions report on themselves.
	severities map[fleet.Severity]string
	rules      map[string]string
	changes    map[fleet.ChangeKind]string

	// separator stands between clauses, comma between words.
	separator, comma string

	// Titles: a severity and a title; a title, a number and an account; a title and an account;
	// and those for an id.
	tagged, titleNumber, titleAccount           phrase
	undetermined, check, otherRule, otherChange phrase
	sampleTitle, sampleText                     string

	// Labels of lines, and headings of sections. A reason and a remedy are English, of functions;
	// what is given as a reason is of an operator.
	account, regions, count, ids, day, ruleLabel, reason, remedy, given  string
	checked, failing, newLabel, fixedLabel, notDetermined, swept, report string
	toSeeWhy, fetch, letThrough, endPause                                string
	byRule, notRead, held, pauses, exemptions                            string
	exampleOf                                                            phrase

	// Numbers, and clauses of a digest.
	instances, findings, changed, resources, parts, results  noun
	allWell, violations, isNew, fixed, unread, undecided     noun
	elsewhere                                                noun
	heldChanges, uncompared, uncomparedParts                 noun
	noViolation, noneHere, nothing, paused                   string
	allChanges, shares                                       string
	atLeast, more, sweep, bracketed, ruleLine                phrase
	control, inAccount, since, until, by, owner, ends, ended phrase
	console                                                  phrase
}

// phrase is a text with verbs for what is filled in.
type phrase string

func (p phrase) with(args ...any) string { return fmt.Sprintf(string(p), args...) }

// noun counts something: the form for one, and that for any other number. A language without
// plurals has the second alone.
type noun struct{ one, many phrase }

func (n noun) count(x int) string {
	if x == 1 && n.one != "" {
		return n.one.with(x)
	}
	return n.many.with(x)
}

// some is the count, and nothing for none.
func (n noun) some(x int) string {
	if x == 0 {
		return ""
	}
	return n.count(x)
}

func languageOf(lang string) *language {
	switch lang {
	case policy.LangChinese:
		return chinese()
	case policy.LangJapanese:
		return japanese()
	}
	return english()
}

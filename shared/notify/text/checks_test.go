package text

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/notify"
	"fleetwarden/shared/policy"
)

// verbs are those of a phrase, by the argument that each writes.
func verbs(p string) map[int]string {
	out := map[int]string{}
	for i, m := range regexp.MustCompile(`%(?:\[(\d)\])?([a-z])`).FindAllStringSubmatch(p, -1) {
		n := i + 1
		if m[1] != "" {
			n, _ = strconv.Atoi(m[1])
		}
		out[n] += m[2]
	}
	return out
}

func TestEachLanguageHasEachTextWithTheSameVerbs(t *testing.T) {
	english := reflect.ValueOf(*languageOf(policy.LangEnglish))
	for _, lang := range languages {
		l := reflect.ValueOf(*languageOf(lang))
		for i := range l.NumField() {
			name, got, want := l.Type().Field(i).Name, l.Field(i), english.Field(i)
			switch got.Kind() {
			case reflect.String:
				if strings.TrimSpace(got.String()) == "" {
					t.Errorf("%s has no %s", lang, name)
				}
				if diff := cmp.Diff(verbs(want.String()), verbs(got.String())); diff != "" {
					t.Errorf("%s: the verbs of %s:\n%s", lang, name, diff)
				}
			case reflect.Struct:
				one, many := got.FieldByName("one").String(), got.FieldByName("many").String()
				number := map[int]string{1: "d"}
				if diff := cmp.Diff(number, verbs(many)); diff != "" {
					t.Errorf("%s: the verbs of %s:\n%s", lang, name, diff)
				}
				if plural := lang == policy.LangEnglish; (one != "") != plural || plural && !cmp.Equal(number, verbs(one)) {
					t.Errorf("%s: the form for one of %s is %q", lang, name, one)
				}
			case reflect.Map:
				keys := func(m reflect.Value) (out []string) {
					for _, k := range m.MapKeys() {
						out = append(out, k.String())
					}
					slices.Sort(out)
					return out
				}
				if diff := cmp.Diff(keys(want), keys(got)); diff != "" {
					t.Errorf("%s: %s:\n%s", lang, name, diff)
				}
				distinct := map[string]bool{}
				for _, k := range got.MapKeys() {
					text := got.MapIndex(k).String()
					if text == "" || distinct[text] || strings.Contains(text, "%") {
						t.Errorf("%s: %s of %s is %q", lang, name, k, text)
					}
					if native := strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxLatin1 }); native != (lang != policy.LangEnglish) {
						t.Errorf("%s: %s of %s is in another language: %q", lang, name, k, text)
					}
					distinct[text] = true
				}
			default:
				t.Errorf("%s is of a kind that nothing checks", name)
			}
		}
	}
}

// sources parses the files of the product, without tests and the local cloud.
func sources(t *testing.T, see func(*ast.File)) {
	t.Helper()
	root := filepath.Join("..", "..", "..")
	for _, dir := range []string{"shared", "functions", "events"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err == nil {
				see(f)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Beside the rules of the policy, functions report on themselves.
func TestEachRuleThatAFindingNamesHasATitle(t *testing.T) {
	rules := append(policy.Rules(""), policy.RuleInstance, fleet.Order{}.Rule(), fleet.Order{Resume: true}.Rule())
	sources(t, func(f *ast.File) {
		ast.Inspect(f, func(n ast.Node) bool {
			lit, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			sel, ok := lit.Type.(*ast.SelectorExpr)
			if !ok || sel.Sel.Name != "FindingRecord" && sel.Sel.Name != "Verdict" {
				return true
			}
			for _, e := range lit.Elts {
				kv, _ := e.(*ast.KeyValueExpr)
				if kv == nil {
					continue
				}
				key, _ := kv.Key.(*ast.Ident)
				if value, ok := kv.Value.(*ast.BasicLit); ok && key != nil && key.Name == "Rule" {
					rule, err := strconv.Unquote(value.Value)
					if err != nil {
						t.Fatal(err)
					}
					rules = append(rules, rule)
				}
			}
			return true
		})
	})
	for _, known := range []string{"limit", "sweep", "owner", "memory", "notice", "policy", "ledger", "observe", "again", "event", "watch"} {
		if !slices.Contains(rules, known) {
			t.Errorf("the sources name no rule %s: the test does not read them, or its title is not needed", known)
		}
	}
	for _, rule := range rules {
		if english().rules[rule] == "" {
			t.Errorf("rule %s has no title", rule)
		}
	}
}

func TestEachKindOfChangeHasATitle(t *testing.T) {
	kinds := 0
	sources(t, func(f *ast.File) {
		if f.Name.Name != "fleet" {
			return
		}
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			if typ, ok := spec.Type.(*ast.Ident); ok && typ.Name == "ChangeKind" {
				kind, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				kinds++
				if english().changes[fleet.ChangeKind(kind)] == "" {
					t.Errorf("change %s has no title", kind)
				}
			}
			return true
		})
	})
	if kinds < 15 || kinds != len(english().changes) {
		t.Errorf("%d kinds of change, and %d titles", kinds, len(english().changes))
	}
}

func TestWhatHasNoTitleIsNamedByItsID(t *testing.T) {
	for _, lang := range languages {
		for want, c := range map[string]notify.Card{
			"brand-new":  card(notify.KindFinding, notify.Group{Control: "agent", Rule: "brand-new", Outcome: fleet.Violation}),
			"clock":      card(notify.KindFinding, notify.Group{Control: "deployment", Rule: "clock", Outcome: fleet.Violation}),
			"move-disks": card(notify.KindChange, notify.Group{Change: "move-disks"}),
			"urgent":     card(notify.KindFinding, notify.Group{Rule: "limit", Severity: "urgent"}),
		} {
			if got := Document(c, lang, links).Title; !strings.Contains(got, want) {
				t.Errorf("%s: %q does not name %s", lang, got, want)
			}
		}
	}
	// A check of the doctor may have the id of a rule that functions report.
	if got := Document(card(notify.KindFinding, notify.Group{Control: "deployment", Rule: "ledger", Outcome: fleet.Violation}), "en", links).Title; got != "Deployment check ledger found a problem" {
		t.Errorf("got %q", got)
	}
}

// A rule that could not be determined is not said to fail.
func TestATitleSaysWhatIsUnknown(t *testing.T) {
	for outcome, want := range map[fleet.Outcome]string{
		fleet.Violation: "Security Center agent is not online", fleet.Conflict: "Security Center agent is not online",
		fleet.Undecided: "agent-online could not be determined", fleet.Fault: "agent-online could not be determined", fleet.Pending: "agent-online could not be determined",
	} {
		c := agents()
		c.Outcome = outcome
		if got := Document(c, policy.LangEnglish, links).Title; !strings.Contains(got, want) {
			t.Errorf("%s: %q", outcome, got)
		}
	}
}

func TestAnUnknownLanguageIsEnglish(t *testing.T) {
	if diff := cmp.Diff(Document(agents(), policy.LangEnglish, links), Document(agents(), "fr", links)); diff != "" {
		t.Error(diff)
	}
}

func TestTheInstancesPageIsLinkedOnlyWhereItsRegionIsKnown(t *testing.T) {
	for name, tc := range map[string]struct {
		id      string
		regions []fleet.Region
		want    string
	}{
		"an instance":         {"i-bp1", []fleet.Region{"cn-hangzhou"}, "https://ecs.console.aliyun.com/server/i-bp1/detail?regionId=cn-hangzhou"},
		"of several regions":  {"i-bp1", []fleet.Region{"cn-hangzhou", "cn-beijing"}, ""},
		"of no region":        {"i-bp1", nil, ""},
		"not an instance":     {"m-bp1", []fleet.Region{"cn-hangzhou"}, ""},
		"not an id":           {"i-bp1/../?x=", []fleet.Region{"cn-hangzhou"}, ""},
		"not a region either": {"i-bp1", []fleet.Region{"cn hangzhou#"}, ""},
	} {
		got := Document(card(notify.KindFinding, notify.Group{Rule: "vpc", IDs: []string{tc.id}, Count: 1, Regions: tc.regions}), "en", Links{})
		if (len(got.Links) == 1) != (tc.want != "") || tc.want != "" && got.Links[0].URL != tc.want {
			t.Errorf("%s: %+v", name, got.Links)
		}
	}
}

func TestAReportWithoutALinkIsNamed(t *testing.T) {
	for report, home := range map[string]fleet.Region{"oss://bucket/ledger/reports/run/": "", "/tmp/ledger/reports/run/": "cn-hangzhou", "oss://a b/x": "cn-hangzhou", "https://evil.example/": "cn-hangzhou",
		"oss://bucket/a?b/": "cn-hangzhou", "oss://bucket": "cn-hangzhou"} {
		c := digest(notify.Digest{})
		c.Digest.Report = report
		d := Document(c, "en", Links{Home: home})
		if len(d.Links) > 0 || !strings.Contains(plain(d), "Report: "+report) {
			t.Errorf("%s:\n%s", report, plain(d))
		}
	}
}

// many has more of everything than a document shows.
func many(text string, n int) notify.Card {
	c := card(notify.KindDigest, notify.Group{Control: text, Rule: text, Change: fleet.ChangeKind(text), Severity: fleet.Severity(text),
		Account: fleet.AccountID(text), Reason: text, Remedy: text})
	c.Key, c.Day = text, text
	d := &notify.Digest{Run: text, Report: text, Seen: n, Unread: n, Undetermined: n, Uncompared: n, Elsewhere: n, PausesNotRead: text}
	for range n {
		c.IDs, c.Regions = append(c.IDs, text), append(c.Regions, fleet.Region(text))
		d.Rules = append(d.Rules, notify.RuleDigest{Control: text, Rule: text, Severity: fleet.Severity(text), Failing: n, New: n, Fixed: n, Uncompared: n})
		d.NotRead = append(d.NotRead, notify.NotReadDigest{Account: fleet.AccountID(text), Region: fleet.Region(text), Why: text})
		d.Held = append(d.Held, notify.HeldDigest{Control: text, Rule: text, Account: fleet.AccountID(text), Region: fleet.Region(text), N: n, Why: text, Limit: true, Since: night})
		d.Expiring = append(d.Expiring, notify.ExpiringDigest{Control: text, Rule: text, Owner: text, Reason: text, Expires: night})
		d.Pauses = append(d.Pauses, notify.PauseDigest{Control: text, Account: fleet.AccountID(text), Until: night, By: text, Reason: text})
	}
	c.Digest = d
	return c
}

func TestLongListsAreCutAndSayHowManyMoreThereAre(t *testing.T) {
	for name, tc := range map[string]struct {
		n    int
		want string
	}{"as many as are shown": {5, ""}, "some more": {40, "and 25 more, and 35 more, and 30 more, and 35 more, and 30 more"}} {
		d := Document(many("x", tc.n), "en", links)
		var got []string
		for _, s := range d.Sections {
			for _, l := range s.Lines {
				if strings.HasPrefix(l.Text, "and ") {
					got = append(got, l.Text)
				}
			}
		}
		if strings.Join(got, ", ") != tc.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestEnglishHasItsPlurals(t *testing.T) {
	for n, want := range map[int]string{0: "0 instances", 1: "1 instance", 2: "2 instances", 11: "11 instances", 101: "101 instances"} {
		if got := english().instances.count(n); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

var (
	safe      = regexp.MustCompile(`^[A-Za-z0-9_. -]*( --reason "\.\.\.")?$`)
	addresses = regexp.MustCompile(`^https://(ecs|oss)\.console\.aliyun\.com/[A-Za-z0-9_./?=&%+-]+$`)
)

// sound fails the test unless a document can be sent: whatever a card holds, it is short, each
// text is one line, and neither what is to be copied nor an address has anything that a card's
// author put there.
func sound(t *testing.T, d notify.Document) {
	t.Helper()
	size := 0
	text := func(s string) {
		size += len(s)
		if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("not a line of text: %q", s)
		}
	}
	for _, s := range []string{d.ID, d.Title, d.Footer} {
		text(s)
	}
	if d.Title == "" {
		t.Error("no title")
	}
	for _, s := range d.Sections {
		text(s.Heading)
		if len(s.Lines) == 0 {
			t.Errorf("section %q has no lines", s.Heading)
		}
		for _, l := range s.Lines {
			text(l.Label)
			text(l.Text)
			if l.Text == "" || l.Code && !safe.MatchString(l.Text) {
				t.Errorf("not to be copied: %+v", l)
			}
		}
	}
	for _, l := range d.Links {
		text(l.Text)
		if size += len(l.URL); !addresses.MatchString(l.URL) {
			t.Errorf("not an address of ours: %s", l.URL)
		}
	}
	if size >= 32<<10 {
		t.Errorf("%d bytes", size)
	}
}

func TestADocumentIsShortWhateverItsCardHolds(t *testing.T) {
	for _, text := range []string{strings.Repeat("x", 10_000), strings.Repeat("界", 5_000), strings.Repeat("\xff", 10_000), "$(reboot)\n`id`;\u202e@all <b>", "a\x1b[31m", ""} {
		for _, lang := range languages {
			for _, kind := range []notify.Kind{notify.KindFinding, notify.KindChange, notify.KindDigest, notify.KindSample, "new"} {
				c := many(text, 60)
				c.Kind = kind
				c.Count, c.Digest.Seen, c.Digest.Unread = 1<<62, 1<<62, 1<<62
				sound(t, Document(c, lang, Links{Names: map[fleet.AccountID]string{fleet.AccountID(text): text + text}, Home: fleet.Region(text)}))
			}
		}
	}
}

func FuzzDocument(f *testing.F) {
	add := func(c notify.Card) {
		data, err := json.Marshal(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, c := range cards {
		add(c)
	}
	add(many("<@all>\n`x`", 20))
	f.Add([]byte(`{"kind":"digest"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var c notify.Card
		if json.Unmarshal(data, &c) != nil {
			return
		}
		for _, lang := range languages {
			sound(t, Document(c, lang, links))
		}
	})
}

func ExampleDocument() {
	d := Document(notify.Card{Kind: notify.KindFinding, Group: notify.Group{Rule: policy.RuleVPC, Severity: fleet.High, Account: "1", IDs: []string{"i-1"}, Count: 1}}, policy.LangEnglish, Links{})
	fmt.Println(d.Title)
	// Output: [HIGH] Trusted instance is not in a VPC: 1 instance in account 1
}

// The reason on a card is that of the resource beside which it stands, and that is the one to ask
// why about.
func TestTheReasonOfACardIsThatOfItsExample(t *testing.T) {
	var gs notify.Groups
	for id, severity := range map[string]fleet.Severity{"i-1": fleet.Low, "i-2": fleet.High, "i-3": fleet.Medium} {
		gs.Finding(fleet.FindingRecord{Control: "agent", Rule: policy.RuleAgentOnline, Outcome: fleet.Violation, Severity: severity, Account: "1", Region: "cn-hangzhou", ID: id, Reason: "reason of " + id})
	}
	d := Document(notify.Card{Kind: notify.KindFinding, Group: gs.All()[0]}, policy.LangEnglish, Links{})
	text := fmt.Sprint(d)
	for _, want := range []string{"For example, i-2", "reason of i-2", "fleetwarden why i-2", "/server/i-2/"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	if strings.Contains(text, "reason of i-1") || strings.Contains(text, "reason of i-3") {
		t.Error(text)
	}
}

package page_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/report"
)

// canary breaks out of each context in which a careless page would put it.
const canary = `</script></style></title></svg>--><img src=x onerror=alert(1)>"'` + "`" + ` onload=alert(2) x="{{.}}<script>alert(3)</script>&lt;b&gt;\u0000`

// poisoned has a text in each field that is one.
func poisoned(text string) (report.Summary, []report.Summary, fleet.Record) {
	s := report.Summary{Run: text, Started: now, Ended: now, Policy: text,
		Shards: []report.Shard{
			{Scope: fleet.Scope{Account: fleet.AccountID(text), Region: fleet.Region(text)}, Seen: 1, Fault: text,
				Counts:  []report.Count{{Control: text, Rule: text, Outcome: fleet.Violation, Severity: fleet.Severity(text), N: 1}},
				Changes: []report.ChangeCount{{Control: text, Kind: fleet.ChangeKind(text), State: fleet.State(text), N: 1}},
				Held:    []report.Held{{Control: text, Why: text, N: 1}}, Calls: map[string]map[string]int{text: {text: 1}}},
			{Scope: fleet.Scope{Account: "1"}, Counts: []report.Count{{Control: text + "2", Rule: "r", Outcome: fleet.Outcome(text), N: 1}}}},
		Exemptions: []report.Exemption{{Control: text, Rule: text, Owner: text, Reason: text, Expires: now}}}
	before := s
	before.Run, before.Ended = "before", now.AddDate(0, 0, -1)
	r := finding(text, fleet.Violation, fleet.Severity(text))
	f := r.Finding
	f.Control, f.Rule, f.Account, f.Region, f.Kind, f.Reason, f.Remedy = text, text, fleet.AccountID(text), fleet.Region(text), fleet.Kind(text), text, text
	return s, []report.Summary{before}, r
}

func TestTextFromTheCloudIsOnlyEverText(t *testing.T) {
	s, earlier, r := poisoned(canary)
	odd := r
	copied := *r.Finding
	odd.Finding = &copied
	odd.Finding.Outcome = fleet.Outcome(canary)
	got := render(t, s, earlier, list([]fleet.Record{r, odd}))
	inert(t, got)
	if n := strings.Count(text(parse(t, got)), strings.TrimSuffix(canary, `\u0000`)); n < 20 {
		t.Errorf("the text is shown %d times, want it in each of 20 places or more", n)
	}
}

func FuzzTextFromTheCloud(f *testing.F) {
	for _, seed := range []string{canary, "", "]]>", "\x00\xff\xfe", "<!--", "\u2028", "𝕏 長い", "&#0;", strings.Repeat("<", 700)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, earlier, r := poisoned(text)
		inert(t, render(t, s, earlier, list([]fleet.Record{r})))
	})
}

func TestThePageLoadsNothingAndItsPolicyForbidsTheRest(t *testing.T) {
	s, earlier := full()
	got := render(t, s, earlier, some(30))
	inert(t, got)
	if !strings.Contains(got, "default-src &#39;none&#39;") {
		t.Error("the page has no policy that forbids loading")
	}
	for _, banned := range []string{"@import", "url(", "fetch(", "XMLHttpRequest", "import(", "innerHTML", "eval(", "document.write"} {
		if strings.Contains(got, banned) {
			t.Errorf("the page has %q", banned)
		}
	}
}

// elements that a page of ours is made of.
var elements = strings.Fields(`html head meta title style body a header div p span b i h1 h2 h3 dl dt dd code button main section ul li br
	figure figcaption svg path text circle table thead tbody tr th td details summary small form label input select option output em footer script`)

// inert fails the test unless the page has only its template's content: known elements, one
// script, the one that its policy allows, no handlers and no external addresses.
func inert(t *testing.T, page string) {
	t.Helper()
	doc := parse(t, page)
	var scripts []string
	var policy string
	for n := range doc.Descendants() {
		if n.Type == html.CommentNode {
			t.Errorf("a comment: %q", n.Data)
		}
		if n.Type != html.ElementNode {
			continue
		}
		if !slices.Contains(elements, n.Data) {
			t.Errorf("an element %s", n.Data)
		}
		if n.Data == "script" {
			scripts = append(scripts, text(n))
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || slices.Contains([]string{"src", "srcset", "action", "data", "poster", "ping", "formaction"}, a.Key) {
				t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
			}
			if a.Key == "href" && !strings.HasPrefix(a.Val, "#") {
				t.Errorf("<%s href=%q>", n.Data, a.Val)
			}
			if n.Data == "meta" && a.Key == "content" && strings.Contains(a.Val, "default-src") {
				policy = a.Val
			}
		}
	}
	if len(scripts) != 1 {
		t.Fatalf("%d scripts, want the page's own", len(scripts))
	}
	sum := sha256.Sum256([]byte(scripts[0]))
	if !strings.Contains(policy, "script-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
		t.Errorf("the policy %q does not name the page's script", policy)
	}
	drawn(t, page)
}

// drawn fails the test unless each drawing is well-formed, in the page's colors.
func drawn(t *testing.T, page string) {
	t.Helper()
	for _, svg := range regexp.MustCompile(`(?s)<svg .*?</svg>`).FindAllString(page, -1) {
		dec := xml.NewDecoder(strings.NewReader(svg))
		for {
			_, err := dec.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("a chart is broken: %v\n%s", err, svg)
			}
		}
		if m := regexp.MustCompile(`(fill|stroke):(rgb|[a-z]+[;"])[^;"]*`).FindString(strings.ReplaceAll(strings.ReplaceAll(svg, "stroke:none", ""), "fill:none", "")); m != "" {
			t.Errorf("a chart has a color of its own, %s: it cannot follow the theme", m)
		}
	}
}

func parse(t *testing.T, page string) *html.Node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// text is what an element says.
func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

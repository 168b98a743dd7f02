package page

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"iter"
	"slices"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/report"
)

//go:embed page.html
var html5 string

//go:embed page.css
var style string

//go:embed page.js
var script string

// MaxFindings is the default of [Page.Findings]: about 1.7 MB of them.
const MaxFindings = 5000

// Page makes pages. The zero Page is ready to use.
type Page struct {
	// Findings is the maximum of findings on a page; 0: [MaxFindings].
	Findings int
}

// Write writes the page of a sweep: s in numbers and charts, earlier sweeps in any order as
// its history, and the worst of findings. It reads findings once and holds no more of them
// than it shows. An error of findings ends it without output.
func (p Page) Write(w io.Writer, s report.Summary, earlier []report.Summary, findings iter.Seq2[fleet.Record, error]) error {
	kept, err := collect(findings, cmp.Or(max(p.Findings, 0), MaxFindings))
	if err != nil {
		return err
	}
	v, err := viewOf(s, earlier, kept)
	if err != nil {
		return err
	}
	t, err := template.New("page").Funcs(template.FuncMap{
		"count": count, "moment": moment, "percent": percent, "plural": plural, "region": regionName,
		"severity": severityName, "mark": mark, "color": color,
	}).Parse(html5)
	if err != nil {
		return fmt.Errorf("reading the page's template: %w", err)
	}
	if err := t.Execute(w, v); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}

// guard is the page's content security policy: nothing is loaded, and no script runs
// but the page's own.
func guard() string {
	sum := sha256.Sum256([]byte(script))
	return "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'unsafe-inline'; script-src 'sha256-" +
		base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// severityName is a severity for people.
func severityName(s fleet.Severity) string { return cmp.Or(string(s), "unrated") }

// mark is the CSS class of an outcome or state: pass, fail, open or exempt.
func mark(o fleet.Outcome) string {
	return [...]string{"exempt", "open", "fail"}[weight(o)]
}

// color is the CSS class of a severity. Only known ones have one.
func color(s fleet.Severity) string {
	if slices.Contains(fleet.Severities(), s) {
		return string(s)
	}
	return "unrated"
}

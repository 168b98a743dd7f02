package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"fleetwarden/shared/fleet"
)

// columns of the CSV form. New ones are added at the end.
var columns = []string{"time", "run", "function", "account", "region", "kind", "id",
	"control", "rule", "outcome", "severity", "reason", "remedy", "count"}

// CSV writes findings as RFC 4180: a header and a line for each, in input order, with CRLF,
// in UTF-8. Records other than findings are skipped; an error of findings ends it.
//
// The columns are time (RFC 3339, UTC), run, function, account, region, kind, id, control,
// rule, outcome, severity, reason, remedy and count, which is empty unless the finding is
// about that many resources at once. A value that a spreadsheet would evaluate as a formula
// gets an apostrophe in front. Account numbers have 16 digits: import that column as text,
// since spreadsheets keep 15.
func CSV(w io.Writer, findings iter.Seq2[fleet.Record, error]) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write(columns); err != nil {
		return fmt.Errorf("writing CSV: %w", err)
	}
	for r, err := range findings {
		if err != nil {
			return fmt.Errorf("reading findings: %w", err)
		}
		if r.Finding == nil {
			continue
		}
		if err := out.Write(row(r, r.Finding)); err != nil {
			return fmt.Errorf("writing CSV: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("writing CSV: %w", err)
	}
	return nil
}

func row(r fleet.Record, f *fleet.FindingRecord) []string {
	cells := []string{r.Time.UTC().Format(time.RFC3339), r.Run, r.Function, string(f.Account), string(f.Region), string(f.Kind), f.ID,
		f.Control, f.Rule, string(f.Outcome), string(f.Severity), f.Reason, f.Remedy, ""}
	if f.Count > 0 {
		cells[len(cells)-1] = strconv.Itoa(f.Count)
	}
	for i, c := range cells {
		cells[i] = inert(c)
	}
	return cells
}

// inert keeps spreadsheets from evaluating a text. They accept full-width signs for
// formulas, and some skip leading blanks.
func inert(s string) string {
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(s, " "))
	if strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) {
		return "'" + s
	}
	return s
}

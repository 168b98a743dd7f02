package report_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/report"
)

func records(rs ...fleet.Record) iter.Seq2[fleet.Record, error] {
	return func(yield func(fleet.Record, error) bool) {
		for _, r := range rs {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func table(t *testing.T, rs ...fleet.Record) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.CSV(&b, records(rs...)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTheColumnsOfCSVAreStable(t *testing.T) {
	r := finding("i-1", `says "no", and`+"\nmore")
	r.Function, r.Finding.Region, r.Finding.Severity, r.Finding.Remedy = "sweep", "cn-hangzhou", fleet.High, "attach it"
	want := "time,run,function,account,region,kind,id,control,rule,outcome,severity,reason,remedy,count\r\n" +
		"2026-11-20T12:00:00Z,r,sweep,1000000000000001,cn-hangzhou,instance,i-1,instance-role,systrust-role,violation,high," +
		"\"says \"\"no\"\", and\r\nmore\",attach it,\r\n"
	if diff := cmp.Diff(want, table(t, r)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOtherRecordsThanFindingsAreSkipped(t *testing.T) {
	got := table(t, fleet.Record{Type: "pass", Pass: &fleet.Pass{}}, finding("i-1", "r"), fleet.Record{Type: "change", Change: &fleet.ChangeRecord{}})
	if n := strings.Count(got, "\r\n"); n != 2 {
		t.Errorf("%d lines, want the header and one:\n%s", n, got)
	}
}

func TestNothingInCSVIsAFormula(t *testing.T) {
	for text, want := range map[string]string{
		`=cmd|'/c calc'!A1`: `'=cmd|'/c calc'!A1`, "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1",
		"  =1": "'  =1", "＝1": "'＝1", "＋1": "'＋1", "－1": "'－1", "＠a": "'＠a",
		"i-1": "i-1", "a=b": "a=b", "": "", " ": " ", "\xff=1": "\xff=1", "'=1": "'=1", "100 %": "100 %",
	} {
		r := finding(text, text)
		r.Run, r.Finding.Rule, r.Finding.Remedy = text, text, text
		rows, err := csv.NewReader(strings.NewReader(table(t, r))).ReadAll()
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		for _, column := range []string{"run", "id", "rule", "reason", "remedy"} {
			if got := rows[1][slices.Index(rows[0], column)]; got != want {
				t.Errorf("%s: %q, want %q", column, got, want)
			}
		}
	}
}

func TestAFindingThatCannotBeReadEndsTheCSV(t *testing.T) {
	bad := errors.New("the object is gone")
	err := report.CSV(&bytes.Buffer{}, func(yield func(fleet.Record, error) bool) {
		if yield(finding("i-1", "r"), nil) {
			yield(fleet.Record{}, bad)
		}
	})
	if !errors.Is(err, bad) {
		t.Errorf("got %v", err)
	}
	if err := report.CSV(full{}, records(finding("i-1", "r"))); !errors.Is(err, errFull) {
		t.Errorf("a full disk: %v", err)
	}
}

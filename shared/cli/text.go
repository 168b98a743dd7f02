package cli

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	"golang.org/x/term"

	"fleetwarden/shared/command"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/canary"
	"fleetwarden/shared/operate/doctor"
)

// text shows records to people.
type text struct {
	out, err io.Writer
	// live says that err is a terminal that can redraw a line, wide that values are shown in full.
	live, wide bool

	// table has the rows of one kind, until another record comes.
	table *tabwriter.Writer
	kind  string
	last  string // the resource of the last finding
	bar   *progress
}

func newText(env Env, wide bool) *text {
	return &text{out: env.Stdout, err: env.Stderr, wide: wide, live: terminalAt(env.Stderr) && env.Getenv("TERM") != "dumb"}
}

func terminalAt(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Show implements command.Output.
func (t *text) Show(record any) error {
	switch r := record.(type) {
	case io.WriterTo:
		_, err := r.WriteTo(t.out)
		return err
	case fleet.Record:
		return t.record(r)
	case command.PlanMade:
		return t.planMade(r)
	case command.PlanShown:
		return t.planShown(r)
	case command.Applied:
		return t.applied(r)
	case command.Undone:
		return t.undone(r)
	case command.SweepMade:
		return t.sweepMade(r)
	case command.SweepShown:
		return t.sweepShown(r)
	case command.PolicyValid:
		return t.policyValid(r)
	case command.PolicyExplained:
		return t.explained(r)
	case Exempted:
		return t.exempted(r)
	case command.KeyShown:
		return t.row("KEY\tVALUE\tWHAT IT IS FOR", "%s\t%s\t%s", r.Path, t.value(r.Value), r.Doc)
	case command.Carried:
		return t.carried(r)
	case command.KeyChanged:
		return t.row("KEY\tBEFORE\tAFTER", "%s\t%s\t%s", r.Path, t.value(r.Before), t.value(r.After))
	case command.ReportFetched:
		return t.print("report:  %s\nfiles:   %d in %s\n", r.Page, len(r.Files), filepath.Dir(r.Page))
	case command.Explained:
		return t.page(r)
	case command.VersionShown:
		return t.print("%s %s, %s\n", command.Tool, cmp.Or(r.Version, "(no version)"), r.Go)
	case command.ChangeShown:
		return t.change(r)
	case command.RunShown:
		return t.run(r)
	case command.Notified:
		return t.print("channel %s took the %s card: %s\n", r.Channel, r.Card, r.Says)
	case command.NotifyShown:
		return t.payload(r)
	case command.Replayed:
		return t.replayed(r)
	case command.Redriven:
		return t.redriven(r)
	case doctor.Page:
		return t.doctor(r)
	case canary.Flight:
		return t.canary(r)
	}
	return fmt.Errorf("showing a %T: only --json can", record)
}

// Line implements command.Output.
func (t *text) Line(record any) error {
	if w, ok := record.(command.Wait); ok && !t.live {
		t.Note("waiting %vs: %s", w.Seconds, w.Why)
	}
	return nil
}

// Note implements command.Output.
func (t *text) Note(format string, args ...any) {
	t.bar.clear()
	fmt.Fprintf(t.err, format+"\n", cleaned(args)...)
}

// print writes text for a person; see [cleaned].
func (t *text) print(format string, args ...any) error {
	if err := t.flush(); err != nil {
		return err
	}
	return t.write(fmt.Sprintf(format, cleaned(args)...))
}

func (t *text) write(s string) error {
	t.bar.clear()
	if _, err := io.WriteString(t.out, s); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}

// row adds a row to the table of a kind, which begins with the header.
func (t *text) row(header, format string, args ...any) error {
	if t.kind != header {
		if err := t.flush(); err != nil {
			return err
		}
		t.kind, t.table = header, tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t.table, header)
	}
	fmt.Fprintf(t.table, format+"\n", cleaned(args)...) // Flush returns the error
	return nil
}

// flush ends the table.
func (t *text) flush() error {
	if t.table == nil {
		return nil
	}
	t.bar.clear()
	err := t.table.Flush()
	if t.table, t.kind = nil, ""; err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}

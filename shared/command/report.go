package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"fleetwarden/shared/ledger"
	"fleetwarden/shared/operate/sweep"
)

// ReportFetched is a report that stands in a folder.
type ReportFetched struct {
	Type  string   `json:"type"` // report
	Run   string   `json:"run"`
	Page  string   `json:"page"`
	Files []string `json:"files"`
}

// Report fetches the report of a sweep.
func Report() Command {
	return Command{Name: "report", Args: "RUN", Most: 1, About: "fetch the report of a sweep: page, CSV and JSON Lines", Long: `
It copies what the sweep has put into the ledger to a folder. RUN is the id of a sweep, or
latest. A sweep that has not ended has no report.`, Bind: func(c *Call, set *flag.FlagSet) Run {
		out := set.String("out", "", "the `FOLDER` to write to (default the run's name)")
		return func(ctx context.Context, ids []string) error {
			if len(ids) != 1 {
				return Wrong("give the id of a sweep, or latest; see %s runs", Tool)
			}
			return c.report(ctx, ids[0], *out)
		}
	}}
}

func (c *Call) report(ctx context.Context, run, out string) error {
	inv, err := c.start(ctx, "report")
	if err != nil {
		return err
	}
	if run == Latest {
		if run, err = sweep.LatestReport(ctx, inv.Store); err != nil {
			return err
		}
	}
	if out == "" {
		out = run
	}
	fetched := ReportFetched{Type: "report", Run: run}
	prefix := sweep.ReportObject(run, "")
	for name, err := range ledger.Names(ctx, inv.Store, prefix, "") {
		var body []byte
		if err == nil {
			body, err = inv.Store.Get(ctx, name)
		}
		if err == nil {
			err = os.MkdirAll(out, 0o755)
		}
		file := filepath.Join(out, filepath.Base(name))
		if err == nil {
			err = os.WriteFile(file, body, 0o600)
		}
		if err != nil {
			return fmt.Errorf("fetching the report of %s: %w", run, err)
		}
		if fetched.Files = append(fetched.Files, file); filepath.Base(name) == "report.html" {
			fetched.Page = file
		}
	}
	if fetched.Page == "" {
		return errors.New("the ledger has no report of " + run + ": a sweep that has not ended has none; see " + Tool + " runs")
	}
	return c.Show(fetched)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/deployment"
	"fleetwarden/shared/fleet"
)

// names prints the resources of the region, for "s" to remove: a second region has none of
// home's. "s" removes any resource of that name, so the checks are those of prepare.
func names(ctx context.Context, r *rollout) error {
	if err := r.oneAccount(); err != nil {
		return err
	}
	found := r.here()
	if err := r.foreign(ctx, found); err != nil {
		return err
	}
	_, err := fmt.Fprintln(r.out, strings.Join(found, "\n"))
	return err
}

// here returns the names of the deployed region's resources.
func (r *rollout) here() []string {
	var found []string
	for name, res := range r.manifest.Resources {
		if res.Props.Region == string(r.region) {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found
}

// removed records that the region has no functions, and fails if a function of the region still exists. fc3 logs a failed removal, but
// exits with 0; without their roles and queues the functions would run on and fail.
func removed(ctx context.Context, r *rollout) error {
	var errs []error
	for _, name := range r.here() {
		p := r.manifest.Resources[name].Props
		_, err := r.functions(fleet.Region(p.Region)).Get(ctx, p.FunctionName)
		switch {
		case err == nil:
			errs = append(errs, fmt.Errorf("function %s in %s still exists: see the output of \"s %s remove\", and remove it again", p.FunctionName, p.Region, name))
		case fleet.ClassOf(err) != fleet.NotFound:
			return fmt.Errorf("reading function %s in %s: %w", p.FunctionName, p.Region, err)
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	// The record has no functions: whoever compares what exists with the newest record of the
	// region misses none. Without a bucket nothing was ever recorded.
	where, err := r.keep(ctx, deployment.Record{V: deployment.Version, At: r.session.Now().UTC().Truncate(time.Second), Account: r.account, Region: r.region, Home: r.home, Build: r.build})
	if fleet.ClassOf(err) == fleet.NotFound {
		return nil
	}
	if err == nil {
		_, err = fmt.Fprintf(r.out, "the functions of %s are removed; recorded as %s\n", r.region, where)
	}
	return err
}

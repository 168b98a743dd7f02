package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"fleetwarden/shared/deployment"
	"fleetwarden/shared/fleet"
)

// facts are what several checks ask for, each read once.
type facts struct {
	records   once[string, map[fleet.Region]deployment.Record]
	functions once[functionKey, *deployment.Function]
	roles     once[string, *deployment.Role]
	guarded   once[string, []fleet.Region]
	rules     once[string, *deployment.Rule]
	depths    once[fleet.Region, map[string]Depth]
	letters   once[place, []Letter]
	intents   once[string, fleet.Entry]
}

type functionKey struct {
	region fleet.Region
	name   string
}

// once reads each value a single time, however many ask for it at the same time.
type once[K comparable, V any] struct {
	mu    sync.Mutex
	known map[K]*entry[V]
}

type entry[V any] struct {
	done  chan struct{}
	value V
	err   error
}

func (o *once[K, V]) get(key K, ask func() (V, error)) (V, error) {
	o.mu.Lock()
	if o.known == nil {
		o.known = map[K]*entry[V]{}
	}
	e, asked := o.known[key]
	if !asked {
		e = &entry[V]{done: make(chan struct{})}
		o.known[key] = e
	}
	o.mu.Unlock()
	if !asked {
		e.value, e.err = ask()
		close(e.done)
	}
	<-e.done
	return e.value, e.err
}

// errNoLedger: the functions' ledger was not found.
var errNoLedger = errors.New("where the ledger is, is not known: set FLEETWARDEN_LEDGER to that of the functions")

// deployments are the newest records, by region.
func (x *examination) deployments(ctx context.Context) (map[fleet.Region]deployment.Record, error) {
	return x.records.get("", func() (map[fleet.Region]deployment.Record, error) {
		if x.Ledger == nil {
			return nil, errNoLedger
		}
		names, err := read(ctx, x, func(ctx context.Context) (map[fleet.Region]string, error) { return deployment.Newest(ctx, x.Ledger) })
		if err != nil {
			return nil, err
		}
		regions := slices.Sorted(maps.Keys(names))
		found := make([]deployment.Record, len(regions))
		errs := make([]error, len(regions))
		var all sync.WaitGroup
		for i, region := range regions {
			all.Go(func() {
				found[i], errs[i] = read(ctx, x, func(ctx context.Context) (deployment.Record, error) {
					return deployment.Load(ctx, x.Ledger, names[region])
				})
			})
		}
		all.Wait()
		out := map[fleet.Region]deployment.Record{}
		for i, region := range regions {
			if errs[i] != nil {
				return nil, errs[i]
			}
			if !found[i].Removed() {
				out[region] = found[i]
			}
		}
		return out, nil
	})
}

// newest is the newest record of all.
func (x *examination) newest(ctx context.Context) (out deployment.Record, ok bool) {
	all, err := x.deployments(ctx)
	for region, r := range all { // of two at one time it is home's
		if !ok || r.At.After(out.At) || r.At.Equal(out.At) && region == x.Home {
			out, ok = r, true
		}
	}
	return out, ok && err == nil
}

// regions are those with a deployment: where a record is from, and home. With an error there
// may be others: see [inRegions].
func (x *examination) regions(ctx context.Context) ([]fleet.Region, error) {
	all, err := x.deployments(ctx)
	out := slices.Collect(maps.Keys(all))
	if !slices.Contains(out, x.Home) {
		out = append(out, x.Home)
	}
	guarded, unguarded := x.guards(ctx)
	out = slices.DeleteFunc(out, func(r fleet.Region) bool {
		return unguarded == nil && r != x.Home && !slices.Contains(guarded, r)
	})
	slices.Sort(out)
	return out, cmp.Or(err, unguarded)
}

// unknown is the problem of a check that ranges over regions of which some may be missing.
func (x *examination) unknown(err error) []Problem {
	if err == nil {
		return nil
	}
	return one(unread("which regions have a deployment", x.Home, "regions", err))
}

// inRegions asks about each region with a deployment. Those that cannot be known are unread.
func inRegions(ctx context.Context, x *examination, ask func(fleet.Region) []Problem) []Problem {
	regions, err := x.regions(ctx)
	return append(each(regions, ask), x.unknown(err)...)
}

// uncompared is the problem of what has no record to compare it with.
func uncompared(what string, region fleet.Region, id string) Problem {
	return Problem{Result: Unread, Region: region, ID: id, Says: fmt.Sprintf("%s was not compared: the ledger has no record of what was deployed", what), Mend: "see deployment-recorded"}
}

// guards are the regions that the policy guards.
func (x *examination) guards(ctx context.Context) ([]fleet.Region, error) {
	if len(x.Policy.Regions) > 0 {
		return x.Policy.Regions, nil
	}
	return x.guarded.get("", func() ([]fleet.Region, error) {
		return read(ctx, x, func(ctx context.Context) ([]fleet.Region, error) { return x.Services.Regions(ctx, x.Home) })
	})
}

// wanted are the functions of a deployment: those of the records in the guarded regions,
// each once, else those of the table at home.
func (x *examination) wanted(ctx context.Context) (out []deployment.Function, problems []Problem) {
	regions, err := x.regions(ctx)
	all, _ := x.deployments(ctx) // its error is that of regions
	newest, _ := x.newest(ctx)   // it has the functions that exist once, which are deployed with each region
	seen := map[functionKey]bool{}
	for _, region := range regions {
		r, ok := all[region]
		if !ok {
			r.Functions = unrecorded(region, x.Home)
		}
		functions := r.Functions
		if once := slices.DeleteFunc(slices.Clone(newest.Functions), func(f deployment.Function) bool { return f.Region != x.Home || regional(f) }); region == x.Home && len(once) > 0 {
			functions = append(once, slices.DeleteFunc(slices.Clone(functions), func(f deployment.Function) bool { return !regional(f) })...)
		}
		for _, f := range functions {
			if key := (functionKey{f.Region, f.Name}); !seen[key] && f.Region == region {
				seen[key] = true
				out = append(out, f)
			}
		}
	}
	return out, x.unknown(err)
}

// regional reports whether a function is one that each region has. Others are deployed with any
// region, so that only the newest record knows them.
func regional(f deployment.Function) bool {
	name, _ := fleet.FunctionOf(f.Name)
	row := fleet.FunctionNamed(name)
	return row.Name != "" && !row.Home
}

// unrecorded are the functions of the table for a region without a record: their names alone.
func unrecorded(region, home fleet.Region) (out []deployment.Function) {
	for _, f := range fleet.Functions() {
		if !f.Home || region == home {
			out = append(out, deployment.Function{Name: fleet.CloudName(f.Name), Region: region})
		}
	}
	return out
}

// function reads an existing function; nil if there is none.
func (x *examination) function(ctx context.Context, w deployment.Function) (*deployment.Function, error) {
	return x.functions.get(functionKey{w.Region, w.Name}, func() (*deployment.Function, error) {
		return read(ctx, x, func(ctx context.Context) (*deployment.Function, error) { return x.Deployed.Function(ctx, w) })
	})
}

// role reads an existing role; nil if there is none.
func (x *examination) role(ctx context.Context, name string) (*deployment.Role, error) {
	return x.roles.get(name, func() (*deployment.Role, error) {
		return read(ctx, x, func(ctx context.Context) (*deployment.Role, error) { return x.Deployed.Role(ctx, name) })
	})
}

// rule reads an existing event rule; nil if there is none.
func (x *examination) rule(ctx context.Context, w deployment.Rule) (*deployment.Rule, error) {
	return x.rules.get(w.String(), func() (*deployment.Rule, error) {
		return read(ctx, x, func(ctx context.Context) (*deployment.Rule, error) { return x.Deployed.Rule(ctx, w) })
	})
}

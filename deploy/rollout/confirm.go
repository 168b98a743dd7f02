package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/aliyun/fc"
	"fleetwarden/shared/deployment"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
)

// confirm repairs the triggers, compares the deployment with s.yaml, and records it.
func confirm(ctx context.Context, r *rollout) error {
	want, err := r.want()
	if err != nil {
		return err
	}
	have, err := r.cloud().Read(ctx, want)
	if err != nil {
		return err
	}
	if r.policy != "" {
		want = coded(want, have)
	}
	changed, err := r.repair(ctx, want, have)
	if err != nil {
		return err
	}
	if changed > 0 {
		if have, err = r.cloud().Read(ctx, want); err != nil {
			return err
		}
	}
	if wrong := deployment.Compare(want, have); len(wrong) > 0 {
		return fmt.Errorf("the deployment differs from s.yaml:\n  %s", strings.Join(wrong, "\n  "))
	}
	have.At = r.session.Now().UTC().Truncate(time.Second)
	name, err := r.keep(ctx, have)
	if err != nil {
		return err
	}
	where := slices.Compact([]string{string(r.region), string(r.home)})
	_, err = fmt.Fprintf(r.out, "%d functions in %s and %d event rules in %s are deployed as in s.yaml; recorded as %s\n",
		len(have.Functions), strings.Join(where, " and "), len(have.Rules), r.region, name)
	return err
}

// repair sets the triggers of our own functions to those of s.yaml.
func (r *rollout) repair(ctx context.Context, want, have deployment.Record) (changed int, err error) {
	for _, w := range want.Functions {
		at := slices.IndexFunc(have.Functions, func(h deployment.Function) bool { return h.Name == w.Name && h.Region == w.Region })
		if at < 0 || have.Functions[at].Settings[deployment.TagSetting] != w.Settings[deployment.TagSetting] {
			continue // Compare reports it
		}
		api := r.functions(w.Region)
		for _, x := range w.Repairs(have.Functions[at]) {
			done, err := mend(ctx, api, w.Name, x)
			if err != nil {
				return changed, fmt.Errorf("trigger %s of %s: %w", x.Name, w, err)
			}
			changed++
			fmt.Fprintf(r.out, "%s: %s trigger %s\n", w, done, x.Name)
		}
	}
	return changed, nil
}

// mend reports its change. The type of a trigger cannot be changed.
func mend(ctx context.Context, api *fc.Client, function string, x deployment.Repair) (string, error) {
	if x.Want == nil {
		return "deleted", api.DeleteTrigger(ctx, function, x.Name)
	}
	want := fc.Trigger{Name: x.Name, Type: x.Want.Type, Config: x.Want.Config, Qualifier: x.Want.Qualifier}
	switch {
	case x.Have == nil:
		return "made", api.CreateTrigger(ctx, function, want)
	case x.Want.Type != x.Have.Type:
		if err := api.DeleteTrigger(ctx, function, x.Name); err != nil {
			return "", err
		}
		return "replaced", api.CreateTrigger(ctx, function, want)
	}
	return "changed", api.UpdateTrigger(ctx, function, want)
}

// keep writes the record into the ledger, and returns its address.
func (r *rollout) keep(ctx context.Context, have deployment.Record) (string, error) {
	text, err := json.Marshal(have)
	if err != nil {
		return "", err
	}
	place, err := r.ledger()
	if err != nil {
		return "", err
	}
	name := deployment.Object(have, text)
	err = place.Store(r.session, r.home).Put(ctx, name, text)
	if fleet.ClassOf(err) == fleet.Exists {
		err = nil // the same record, written before
	}
	return place.Address(name), err
}

// ledger returns the functions' ledger.
func (r *rollout) ledger() (invocation.LedgerPlace, error) {
	for _, f := range r.manifest.Resources {
		if value := f.Props.EnvironmentVariables[invocation.LedgerVariable]; value != "" {
			return invocation.ParseLedger(value)
		}
	}
	return invocation.LedgerPlace{}, errors.New("s.yaml gives no function a ledger: the deployment cannot be recorded")
}

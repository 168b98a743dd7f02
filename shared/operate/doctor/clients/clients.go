// Package clients gives the checks of a deployment the clients that they ask, for one call of
// a function or of the tool. It decides nothing, and no package that decides imports it.
package clients

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/cms"
	"fleetwarden/shared/aliyun/directory"
	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/aliyun/eventbridge"
	"fleetwarden/shared/aliyun/fc"
	"fleetwarden/shared/aliyun/kms"
	"fleetwarden/shared/aliyun/mns"
	"fleetwarden/shared/aliyun/ram"
	"fleetwarden/shared/aliyun/sas"
	"fleetwarden/shared/aliyun/sls"
	"fleetwarden/shared/aliyun/sts"
	"fleetwarden/shared/aliyun/trail"
	"fleetwarden/shared/deployment"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/operate/doctor"
	"fleetwarden/shared/policy"
)

// Of returns what a call can ask. read says that the caller named a policy file; without a
// policy nothing can be asked.
func Of(inv *invocation.Invocation, read bool) doctor.Reads {
	s, p, home := inv.Session, inv.Options.Policy, inv.HomeOf("").Region
	r := doctor.Reads{
		Home: home, Files: Files(), Local: s.Cloud().Local() != "",
		Policy:  doctor.Policy{Digest: p.Digest, File: read, Regions: p.Regions, Directory: p.Directory.Role != "", Findings: p.Sinks.Findings, Channels: p.Notify.Channels},
		Account: func(ctx context.Context) (fleet.AccountID, error) { return sts.CallerAccount(ctx, s, home) },
		Deployed: deployment.Cloud{
			Functions: func(r fleet.Region) deployment.Functions { return fc.New(s, r) },
			Rules:     func(r fleet.Region) deployment.Rules { return eventbridge.New(s, r) },
			Roles:     roles{s}, Trails: trail.New(s),
		},
		Services: services{s}, Links: ram.New(s), Trails: trails{trail.New(s)},
		Rules:  func(r fleet.Region) doctor.Patterns { return eventbridge.New(s, r) },
		Queues: func(r fleet.Region) doctor.Queues { return queues{inv, r} },
		Depths: func(r fleet.Region) doctor.Depths { return depths{cms.New(s, inv.HomeOf(r))} },
		KMS:    kms.New(s), Secrets: kms.New(s), Agents: sas.New(s), Commands: ecs.New(s), Accounts: members{inv}, Logs: logs{inv},
		Now: s.Now, Clock: time.Now, Calls: s.Calls,
	}
	for _, control := range policy.Controls() {
		if p.ModeOf(control) == policy.Off {
			r.Policy.Off = append(r.Policy.Off, control)
		}
	}
	for _, a := range inv.File.Accounts {
		role, _ := inv.File.RoleIn(a.ID)
		r.Policy.Accounts = append(r.Policy.Accounts, doctor.Account{ID: a.ID, Role: role})
	}
	if inv.Store != nil {
		r.Ledger = store{inv}
	}
	return r
}

// roles reads each role with a client of its own: a client caches documents, and is for one
// caller at a time.
type roles struct{ session *aliyun.Session }

func (r roles) Role(ctx context.Context, name string) (fleet.Role, error) {
	return ram.New(r.session).Role(ctx, name)
}

type services struct{ session *aliyun.Session }

// Active implements doctor.Services.
func (s services) Active(ctx context.Context, service string, region fleet.Region) error {
	switch service {
	case "fc":
		_, err := fc.New(s.session, region).Names(ctx, fleet.Prefix)
		return err
	case "eventbridge":
		_, err := eventbridge.New(s.session, region).Rules(ctx, fleet.DefaultBus, fleet.Prefix)
		return err
	case "mns":
		_, err := mns.SettingsOf(ctx, s.session, region, fleet.Prefix+"dead-letters")
		if fleet.ClassOf(err) == fleet.NotFound {
			return nil
		}
		return err
	}
	return fmt.Errorf("there is no service %q", service)
}

// Absent implements doctor.Services.
func (s services) Absent(product string, region fleet.Region) bool {
	for _, p := range []aliyun.Product{aliyun.KMS, aliyun.ResourceSharing} {
		if p.Name == product {
			return p.Absent(region)
		}
	}
	return false
}

// Regions implements doctor.Services.
func (s services) Regions(ctx context.Context, home fleet.Region) ([]fleet.Region, error) {
	return ecs.New(s.session).Regions(ctx, home)
}

type trails struct{ client *trail.Client }

// Trails implements doctor.Trails.
func (t trails) Trails(ctx context.Context, home, region fleet.Region) (out []doctor.Trail, err error) {
	all, err := t.client.Trails(ctx, home, region)
	for _, x := range all {
		out = append(out, doctor.Trail(x))
	}
	return out, err
}

type queues struct {
	inv    *invocation.Invocation
	region fleet.Region
}

// Queue implements doctor.Queues.
func (q queues) Queue(ctx context.Context, name string) (doctor.Queue, error) {
	s, err := mns.SettingsOf(ctx, q.inv.Session, q.region, name)
	return doctor.Queue(s), err
}

// Peek implements doctor.Queues.
func (q queues) Peek(ctx context.Context, name string, n int) (out []doctor.Letter, err error) {
	client, err := q.inv.QueuesIn(q.region)
	if err != nil {
		return nil, err
	}
	found, err := client.Peek(ctx, name, n)
	for _, m := range found {
		out = append(out, doctor.Letter{Enqueued: m.Enqueued})
	}
	return out, err
}

type depths struct{ client *cms.Client }

// Depths implements doctor.Depths.
func (d depths) Depths(ctx context.Context, queues []string) (map[string]doctor.Depth, error) {
	all, err := d.client.Depths(ctx, queues)
	out := map[string]doctor.Depth{}
	for name, x := range all {
		out[name] = doctor.Depth(x)
	}
	return out, err
}

type members struct{ inv *invocation.Invocation }

// Listed implements doctor.Members.
func (m members) Listed(ctx context.Context) (out []fleet.AccountID, err error) {
	all, err := directory.New(m.inv.Session).Accounts(ctx)
	for _, a := range all {
		out = append(out, a.ID)
	}
	return out, err
}

// Enter implements doctor.Members.
func (m members) Enter(ctx context.Context, account fleet.AccountID) error {
	_, err := m.inv.In(ctx, account)
	return err
}

// Role implements doctor.Members.
func (m members) Role(ctx context.Context, account fleet.AccountID) (fleet.Role, error) {
	name, _ := m.inv.RoleIn(account)
	session, err := m.inv.In(ctx, account)
	if err != nil {
		return fleet.Role{}, err
	}
	return ram.New(session).Role(ctx, name)
}

type logs struct{ inv *invocation.Invocation }

// LastPass implements doctor.Logs. The project and the store are those of s.yaml. A pass says how
// long before it the oldest event was; the store is not searched for that number, since how it
// compares numbers costs another search.
func (l logs) LastPass(ctx context.Context, region fleet.Region, function string, since time.Time) (last doctor.Passed, err error) {
	project := fleet.LogProject(fleet.Scope{Account: l.inv.Home.Account, Region: region})
	client := sls.New(l.inv.Session, sls.Place{Region: region, Project: project, Name: fleet.LogStore})
	found, err := client.Search(ctx, sls.Query{Search: `message.type: pass and functionName: "` + function + `"`, From: since, To: l.inv.Session.Now().Add(time.Minute), Limit: doctor.EventsOf, Newest: true})
	last = passed(found.Lines)
	if err == nil && last.At.IsZero() && !found.Complete {
		err = errPartial
	}
	return last, err
}

// passed reads the lines of passes, newest first.
func passed(lines []sls.Line) (last doctor.Passed) {
	for i, line := range lines {
		if i == 0 {
			last.At = line.At
		}
		var r fleet.Record
		if json.Unmarshal([]byte(line.Fields["message"]), &r) == nil && r.Pass != nil && r.Pass.DelayMS > 0 {
			last.Event = line.At.Add(-time.Duration(r.Pass.DelayMS) * time.Millisecond)
			break
		}
	}
	return last
}

var errPartial = errors.New("the log store did not finish the search")

type store struct{ inv *invocation.Invocation }

// Get implements doctor.Ledger.
func (s store) Get(ctx context.Context, name string) ([]byte, error) {
	return s.inv.Store.Get(ctx, name)
}

// List implements doctor.Ledger.
func (s store) List(ctx context.Context, prefix, after string) ([]string, bool, error) {
	return s.inv.Store.List(ctx, prefix, after)
}

var errFolder = errors.New("a folder is no ledger of functions")

// Versioning implements doctor.Ledger.
func (s store) Versioning(ctx context.Context) (string, error) {
	bucket := s.inv.Place.Bucket(s.inv.Session, s.inv.HomeOf("").Region)
	if bucket == nil {
		return "", errFolder
	}
	return bucket.Versioning(ctx)
}

// OfFunctions implements doctor.Ledger.
func (s store) OfFunctions(ctx context.Context) (string, error) {
	f, err := fc.New(s.inv.Session, s.inv.HomeOf("").Region).Get(ctx, fleet.CloudName(fleet.FunctionBackfill))
	if fleet.ClassOf(err) == fleet.NotFound {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	place, err := invocation.ParseLedger(f.Environment[invocation.LedgerVariable])
	if err != nil || place == (invocation.LedgerPlace{}) {
		return "", err
	}
	return place.Address(""), nil
}

// Address implements doctor.Ledger.
func (s store) Address(object string) string { return s.inv.Place.Address(object) }

package cli

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"fleetwarden/shared/aliyun/fc"
	"fleetwarden/shared/command"
	"fleetwarden/shared/deployment"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/policy"
)

// Deployed reads which policies the functions carry, with as few reads as that takes: where a
// function has the code that its deployment recorded, the record has the digest.
func Deployed(ctx context.Context, inv *invocation.Invocation, want string) ([]command.Carried, error) {
	d := deployed{want: want, functions: func(r fleet.Region) functions { return fc.New(inv.Session, r) }, code: map[string]*policy.Policy{}}
	if inv.Store != nil {
		if err := d.read(ctx, inv.Store); err != nil {
			return nil, err
		}
	}
	return d.all(ctx, append(slices.Clone(inv.Options.Policy.Regions), inv.Home.Region))
}

// functions reads the functions of one region.
type functions interface {
	Names(ctx context.Context, prefix string) ([]string, error)
	Get(ctx context.Context, name string) (*fc.Function, error)
	Code(ctx context.Context, name string) ([]byte, error)
}

// deployed are the functions that are read.
type deployed struct {
	want      string
	functions func(fleet.Region) functions
	// records are the newest of each region.
	records []deployment.Record
	// code are the policies in zips, by the zips' checksums.
	code map[string]*policy.Policy
}

// read reads the newest record of each region's deployment. One of a newer program is passed
// over: the code says as much.
func (d *deployed) read(ctx context.Context, store ledger.Store) error {
	newest, err := deployment.Newest(ctx, store)
	if err != nil {
		return err
	}
	for _, name := range newest {
		r, err := deployment.Load(ctx, store, name)
		switch {
		case errors.Is(err, deployment.ErrNewer):
		case err != nil:
			return err
		default:
			d.records = append(d.records, r)
		}
	}
	slices.SortFunc(d.records, func(a, b deployment.Record) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Region, b.Region)) })
	return nil
}

// all reads the functions of the records and, where there is none of a region, those that are
// there.
func (d *deployed) all(ctx context.Context, regions []fleet.Region) (out []command.Carried, err error) {
	for _, r := range d.records {
		regions = append(regions, r.Region)
		for _, f := range r.Functions {
			regions = append(regions, f.Region)
		}
	}
	slices.Sort(regions)
	for _, region := range slices.Compact(regions) {
		names, err := d.functions(region).Names(ctx, fleet.Prefix)
		if err != nil {
			out = append(out, command.Carried{Function: "(all)", Region: region, Unread: "listing them: " + err.Error()})
			continue
		}
		for _, f := range fleet.Functions() {
			if name := fleet.CloudName(f.Name); slices.Contains(names, name) || d.recorded(name, region) != nil {
				out = append(out, d.carried(ctx, f.Name, region))
			}
		}
	}
	d.explain(ctx, out)
	return out, ctx.Err()
}

// recorded is the newest record that has a function.
func (d *deployed) recorded(name string, region fleet.Region) *recorded {
	for _, r := range d.records {
		for _, f := range r.Functions {
			if f.Name == name && f.Region == region {
				return &recorded{f.Checksum, r.Policy}
			}
		}
	}
	return nil
}

type recorded struct{ checksum, policy string }

func (d *deployed) carried(ctx context.Context, name string, region fleet.Region) command.Carried {
	x := command.Carried{Function: name, Region: region}
	f, err := d.functions(region).Get(ctx, fleet.CloudName(name))
	if err != nil {
		x.Unread = err.Error()
		return x
	}
	if r := d.recorded(fleet.CloudName(name), region); r != nil && r.checksum == f.CodeChecksum && r.policy != "" {
		x.Digest, x.From = r.policy, "record"
		return x
	}
	if x.Policy, err = d.policyOf(ctx, name, region, f.CodeChecksum); err != nil {
		x.Unread = err.Error()
		return x
	}
	x.Digest, x.From = x.Policy.Digest, "code"
	return x
}

// explain reads the policies of which the digest alone is known, and differs: one for each digest.
func (d *deployed) explain(ctx context.Context, all []command.Carried) {
	known := map[string]bool{}
	for _, x := range all {
		known[x.Digest] = known[x.Digest] || x.Policy != nil
	}
	for i := range all {
		x := &all[i]
		if x.Digest == "" || x.Digest == d.want || known[x.Digest] {
			continue
		}
		known[x.Digest] = true
		p, err := d.policyOf(ctx, x.Function, x.Region, x.Digest)
		switch {
		case err != nil:
			x.Unread = "record; what differs could not be read: " + err.Error()
		case p.Digest != x.Digest:
			x.Unread = "record; its code has another policy than the record of its deployment says"
			x.Digest, x.Policy = p.Digest, p
		default:
			x.Policy = p
		}
	}
}

// policyOf is the policy in a function's code.
func (d *deployed) policyOf(ctx context.Context, name string, region fleet.Region, checksum string) (*policy.Policy, error) {
	if p := d.code[checksum]; p != nil {
		return p, nil
	}
	code, err := d.functions(region).Code(ctx, fleet.CloudName(name))
	if err != nil {
		return nil, err
	}
	p, err := policyIn(code)
	if err == nil {
		d.code[checksum] = p
	}
	return p, err
}

// policyFile is where a package has its policy.
const policyFile = "policy.json"

// policyIn is the policy of a package.
func policyIn(code []byte) (*policy.Policy, error) {
	z, err := zip.NewReader(bytes.NewReader(code), int64(len(code)))
	if err != nil {
		return nil, fmt.Errorf("its code is no package: %w", err)
	}
	i := slices.IndexFunc(z.File, func(f *zip.File) bool { return f.Name == policyFile })
	if i < 0 {
		return nil, errors.New("its package has no " + policyFile)
	}
	r, err := z.File[i].Open()
	if err != nil {
		return nil, fmt.Errorf("reading %s of its package: %w", policyFile, err)
	}
	text, err := io.ReadAll(io.LimitReader(r, policy.MaxSize+1))
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, fmt.Errorf("reading %s of its package: %w", policyFile, err)
	}
	return policy.Load(policyFile, text)
}

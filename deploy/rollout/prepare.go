package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"fleetwarden/deploy/local/manifest"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/ram"
	"fleetwarden/shared/deployment"
	"fleetwarden/shared/fleet"
)

// prepare checks everything before any change, and fails with the problems to solve first.
func prepare(ctx context.Context, r *rollout) error {
	if err := r.oneAccount(); err != nil {
		return err
	}
	if err := r.foreign(ctx, slices.Sorted(maps.Keys(r.manifest.Resources))); err != nil {
		return err
	}
	if err := r.linkRoles(ctx); err != nil {
		return err
	}
	compared := ""
	if r.rendered != "" {
		compared = "both tools use it, and "
	}
	_, err := fmt.Fprintf(r.out, "account %s: %sno function there belongs to another deployment\n", r.account, compared)
	return err
}

// oneAccount compares the accounts of both tools, if there is output of "s".
func (r *rollout) oneAccount() error {
	if r.rendered == "" {
		return nil
	}
	text, err := os.ReadFile(r.rendered)
	if err != nil {
		return fmt.Errorf("reading the rendered manifest: %w", err)
	}
	return manifest.CheckRendered(string(text), string(r.account))
}

// account prints the account of the credentials. Terraform has its own credentials, from
// environment variables that are not read here, and applies in no other account.
func account(_ context.Context, r *rollout) error {
	_, err := fmt.Fprintln(r.out, r.account)
	return err
}

// foreign refuses functions with our names and another deployment's tag, or none.
func (r *rollout) foreign(ctx context.Context, names []string) error {
	var errs []error
	for _, name := range names {
		p := r.manifest.Resources[name].Props
		api := r.functions(fleet.Region(p.Region))
		got, err := api.Get(ctx, p.FunctionName)
		if fleet.ClassOf(err) == fleet.NotFound {
			continue
		}
		var tags map[string]string
		if err == nil {
			tags, err = api.Tags(ctx, got.ARN)
		}
		if err != nil {
			return fmt.Errorf("reading function %s in %s: %w", p.FunctionName, p.Region, err)
		}
		if want := settings(p)[deployment.TagSetting]; tags[deployment.Tag] != want {
			errs = append(errs, fmt.Errorf("function %s in %s exists and has the tag %s=%q, not %q: it is not this deployment's, and would be overwritten or removed; delete it, or give it that tag if it is ours",
				p.FunctionName, p.Region, deployment.Tag, tags[deployment.Tag], want))
		}
	}
	return errors.Join(errs...)
}

type link struct {
	ServiceName *string `json:"ServiceName,omitempty" xml:"ServiceName,omitempty"`
}

// linkRoles creates the missing service-linked roles of deliveries.
func (r *rollout) linkRoles(ctx context.Context) error {
	roles := ram.New(r.session)
	for _, l := range deployment.ServiceLinkedRoles() {
		if l.Beyond {
			continue
		}
		there, err := roles.Bare(ctx, l.Role)
		if err != nil {
			return fmt.Errorf("reading the service-linked role %s: %w", l.Role, err)
		}
		if !there.Missing {
			continue
		}
		_, err = aliyun.Do[link, struct{}](ctx, r.session,
			aliyun.API{Product: aliyun.ResourceManager, Action: "CreateServiceLinkedRole", Write: true}, &link{&l.Service})
		if err != nil && fleet.ClassOf(err) != fleet.Exists {
			return fmt.Errorf("creating the service-linked role %s: %w", l.Role, err)
		}
		fmt.Fprintf(r.out, "created the service-linked role %s\n", l.Role)
	}
	return nil
}

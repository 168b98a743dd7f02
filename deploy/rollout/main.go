// Command rollout does the part of "make deploy" that is neither Terraform's nor Serverless
// Devs'. Before any change, it checks that both tools use one account and that no function
// of our names belongs to another deployment, and creates missing service-linked roles.
// Afterwards it repairs the triggers that fc3 does not update, reads everything back, and
// fails with a list of the differences. The ledger keeps a record of each deployment.
//
// It reads the same s.yaml, in the same environment, and deploys no code. The Function
// Compute part is in shared/deployment, which the doctor uses too.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"

	"fleetwarden/deploy/local/manifest"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/eventbridge"
	"fleetwarden/shared/aliyun/fc"
	"fleetwarden/shared/aliyun/ram"
	"fleetwarden/shared/aliyun/sts"
	"fleetwarden/shared/aliyun/trail"
	"fleetwarden/shared/deployment"
	"fleetwarden/shared/fleet"
)

const usage = `rollout COMMAND [flags]

  prepare   before a deployment: one account, no foreign functions, service-linked roles
  confirm   after it: triggers, what stands beside what was wanted, the record in the ledger
  names     before a removal: one account, no foreign functions; prints the resources of
            s.yaml that a removal of REGION takes away, one a line
  removed   after "s" has removed them: that none of these functions exists
  account   prints the account of the credentials, which Terraform is to compare with its own

It reads REGION, HOME_REGION and FLEETWARDEN_COMMANDS as s.yaml does, credentials from
the environment or a profile of the aliyun CLI, and the members whose events arrive from
FLEETWARDEN_MEMBERS: accounts, separated by commas.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return
		}
		fmt.Fprintln(os.Stderr, "rollout:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	manifest, rendered, build, policy string
}

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 || slices.Contains([]string{"-h", "-help", "--help"}, args[0]) {
		fmt.Fprint(out, usage)
		return flag.ErrHelp
	}
	var o options
	fl := flag.NewFlagSet("rollout "+args[0], flag.ContinueOnError)
	fl.SetOutput(out)
	fl.StringVar(&o.manifest, "manifest", "s.yaml", "the manifest")
	fl.StringVar(&o.rendered, "rendered", "", `prepare, names: a file with the output of "s preview", whose account is compared`)
	fl.StringVar(&o.build, "build", "", "confirm: the commit that was deployed, for the record")
	fl.StringVar(&o.policy, "policy", "", "confirm: the policy file of functions that a local cloud runs without packages; their code is recorded as it is found")
	if err := fl.Parse(args[1:]); err != nil {
		return err
	}
	commands := map[string]func(context.Context, *rollout) error{
		"prepare": prepare, "confirm": confirm, "names": names, "removed": removed, "account": account,
	}
	command, ok := commands[args[0]]
	if !ok {
		return fmt.Errorf("there is no command %s; see rollout --help", args[0])
	}
	r, err := open(ctx, o, out)
	if err != nil {
		return err
	}
	return command(ctx, r)
}

// rollout is one deployment in one account and region.
type rollout struct {
	options
	out          io.Writer
	manifest     *manifest.Manifest
	session      *aliyun.Session
	account      fleet.AccountID
	region, home fleet.Region
}

func open(ctx context.Context, o options, out io.Writer) (*rollout, error) {
	credential, _, err := aliyun.FindCredentials("")
	if err != nil {
		return nil, err
	}
	cloud, err := aliyun.NewCloud(credential, os.Getenv(aliyun.EndpointVariable))
	if err != nil {
		return nil, err
	}
	r := &rollout{options: o, out: out, session: cloud.NewSession(0)}
	if r.account, err = sts.CallerAccount(ctx, r.session, ""); err != nil {
		return nil, fmt.Errorf("reading the account of the credentials: %w", err)
	}
	if r.manifest, err = manifest.Load(o.manifest, manifest.Options{Account: string(r.account)}); err != nil {
		return nil, err
	}
	if r.region, r.home, err = places(r.manifest); err != nil {
		return nil, err
	}
	for name, res := range r.manifest.Resources {
		if settings(res.Props)[deployment.TagSetting] == "" {
			return nil, fmt.Errorf("s.yaml: %s has no value for the tag %s, which distinguishes this deployment's functions from others; give FLEETWARDEN_DEPLOYMENT (make: DEPLOYMENT) a name", name, deployment.Tag)
		}
	}
	return r, nil
}

// places returns the deployed region, and the home region, from s.yaml.
func places(m *manifest.Manifest) (region, home fleet.Region, err error) {
	text := func(name string) fleet.Region {
		s, _ := m.Vars[name].(string)
		return fleet.Region(s)
	}
	region, home = text("region"), text("home")
	if !region.Valid() || !home.Valid() {
		return "", "", fmt.Errorf("s.yaml: vars.region %q or vars.home %q is not the id of a region", region, home)
	}
	return region, home, nil
}

func (r *rollout) functions(region fleet.Region) *fc.Client { return fc.New(r.session, region) }

func (r *rollout) cloud() deployment.Cloud {
	return deployment.Cloud{
		Functions: func(region fleet.Region) deployment.Functions { return r.functions(region) },
		Rules:     func(region fleet.Region) deployment.Rules { return eventbridge.New(r.session, region) },
		Roles:     ram.New(r.session), Trails: trail.New(r.session),
	}
}

package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/policy"
)

// PolicyValid is a policy file that can be deployed.
type PolicyValid struct {
	Type   string            `json:"type"` // valid
	File   string            `json:"file"`
	Digest string            `json:"digest"`
	Modes  map[string]string `json:"modes"`
	// Partly are the controls in audit of which enforceFor has a part enforced.
	Partly []string `json:"partly,omitempty"`
}

// KeyShown is a key of a policy, with its value, and KeyChanged one that two files differ in.
type (
	KeyShown struct {
		Type string `json:"type"` // key
		policy.Key
	}
	KeyChanged struct {
		Type   string `json:"type"` // changed
		Path   string `json:"path"`
		Before string `json:"before"`
		After  string `json:"after"`
		// Deployed is the digest of the deployed policy whose value Before is.
		Deployed string `json:"deployed,omitempty"`
	}
)

// Carried is a deployed function, and the policy that it carries.
type Carried struct {
	Type     string       `json:"type"` // carried
	Function string       `json:"function"`
	Region   fleet.Region `json:"region"`
	// Digest is that of its policy, and From says how that is known: by the record of the
	// deployment, whose code it still has, or by its code.
	Digest string `json:"digest,omitempty"`
	From   string `json:"from,omitempty"`
	// Same says that it is the file's.
	Same bool `json:"same"`
	// Unread says why the policy, or its digest, could not be read.
	Unread string `json:"unread,omitempty"`
	// Policy is nil where the digest alone is known.
	Policy *policy.Policy `json:"-"`
}

// Deployed reads the policies that the deployed functions carry. Of one whose digest is want it
// need not read more.
type Deployed func(ctx context.Context, inv *invocation.Invocation, want string) ([]Carried, error)

// Policy validates, explains and compares policy files. Only what it says of an instance or of
// the deployed functions is read from the cloud.
func Policy(deployed Deployed) Command {
	return Command{Name: "policy", About: "validate, explain or compare policy files", Sub: []Command{
		{Name: "policy validate", Args: "FILE…", Most: 100, About: "say each mistake of policy files, with its line", Long: `
Each mistake is one line, FILE:LINE:COLUMN: KEY: what is wrong. "make package" refuses the
same. Exit status 1: a file has mistakes.`, Bind: func(c *Call, _ *flag.FlagSet) Run {
			return func(_ context.Context, files []string) error { return c.validate(files) }
		}},
		{Name: "policy explain", Args: "[ID | FILE [KEY]]", Most: 2, About: "say how the policy decides on an instance; or show its keys", Long: `
With the ID of an instance, or the number of an account, it reads from the cloud where that is
and what selectors need, and says for each control whether it is judged and enforced, and which
selector, mode or exemption of the policy decides so:
    fleetwarden policy explain i-bp67acfmxazb4ph

With a FILE it shows each key, what it is for, and the value that is in effect, also where the
file leaves a key out; with a KEY, such as controls.agent, those below. Without any it shows the
file of --policy or $FLEETWARDEN_POLICY, else the policy of the program.`, Bind: func(c *Call, set *flag.FlagSet) Run {
			var e explained
			set.StringVar((*string)(&e.account), "account", "", "the `ID` of the account of the instance (default that of the credentials)")
			set.StringVar((*string)(&e.region), "region", "", "the `ID` of the region of the instance (default: each of the policy's)")
			return func(ctx context.Context, args []string) error {
				if e.resource(args) {
					e.id = args[0]
					return c.explainResource(ctx, e)
				}
				if e.account != "" || e.region != "" {
					return Wrong("--account and --region are for an instance; see %s policy explain --help", Tool)
				}
				return c.explain(args)
			}
		}},
		{Name: "policy diff", Args: "[OLD NEW]", Most: 2, About: "compare the policy file with what the functions carry, or two files", Long: `
Without files it compares that of --policy, or $FLEETWARDEN_POLICY, with what each deployed
function carries: by the record of the deployment in the ledger, where the function still has the
code of that, else by its code, for which fc:GetFunctionCode is needed. Each key that differs is
shown with the deployed value before and the file's after. Exit status 0: each function carries
the file; 1: one does not, or could not be read.

With two files it compares these. Comments, order and defaults that are written out make no
difference. Exit status 0, also where they differ.`, Bind: func(c *Call, _ *flag.FlagSet) Run {
			return func(ctx context.Context, files []string) error {
				switch len(files) {
				case 0:
					return c.diffDeployed(ctx, deployed)
				case 2:
					return c.diff(files[0], files[1])
				}
				return Wrong("give two files: %s policy diff OLD NEW; or none, to compare with what the functions carry", Tool)
			}
		}},
	}}
}

// readPolicy reads a file, which its mistakes name as it was typed.
func readPolicy(file string) (*policy.Policy, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the policy file: %w", err)
	}
	return policy.Load(file, text)
}

func (c *Call) validate(files []string) error {
	if len(files) == 0 {
		return Wrong("give a file: %s policy validate FILE…", Tool)
	}
	var errs []error
	for _, file := range files {
		p, err := readPolicy(file)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		valid := PolicyValid{Type: "valid", File: file, Digest: p.Digest, Modes: map[string]string{}}
		for _, control := range policy.Controls() {
			valid.Modes[control] = string(p.ModeOf(control))
			if p.Partly(control) {
				valid.Partly = append(valid.Partly, control)
			}
		}
		if err := c.Show(valid); err != nil {
			return err
		}
	}
	return errors.Join(errs...)
}

func (c *Call) explain(args []string) error {
	p, key, file := policy.Default(), "", c.PolicyFile
	if len(args) > 0 {
		file = args[0]
	}
	if file != "" {
		var err error
		if p, err = readPolicy(file); err != nil {
			return err
		}
	}
	if len(args) > 1 {
		key = args[1]
	}
	found := false
	for _, k := range p.Keys() {
		if rest, ok := strings.CutPrefix(k.Path, key); ok && (key == "" || rest == "" || strings.HasPrefix(rest, ".") || strings.HasPrefix(rest, "[")) {
			found = true
			if err := c.Show(KeyShown{"key", k}); err != nil {
				return err
			}
		}
	}
	if !found {
		return Wrong("a policy has no key %q; see %s policy explain", key, Tool)
	}
	return nil
}

func (c *Call) diff(before, after string) error {
	was, err := readPolicy(before)
	if err != nil {
		return err
	}
	is, err := readPolicy(after)
	if err != nil {
		return err
	}
	changed := policy.Changed(was, is)
	for _, k := range changed {
		if err := c.Show(KeyChanged{Type: "changed", Path: k[1].Path, Before: k[0].Value, After: k[1].Value}); err != nil {
			return err
		}
	}
	if len(changed) == 0 {
		c.Note("they say the same")
	}
	return nil
}

// diffDeployed compares the policy file with what each deployed function carries.
func (c *Call) diffDeployed(ctx context.Context, deployed Deployed) error {
	if c.PolicyFile == "" {
		return Wrong("give the policy file: --policy FILE, or $%s; or two files", invocation.PolicyVariable)
	}
	is, err := readPolicy(c.PolicyFile)
	if err != nil {
		return err
	}
	inv, err := c.Open(ctx)
	if err != nil {
		return err
	}
	bar := c.Progress("reading the deployed functions", 0)
	all, err := deployed(ctx, inv, is.Digest)
	bar.End()
	if err != nil {
		return err
	}
	other, unread, behind := 0, 0, []fleet.Region{}
	shown := map[string]bool{}
	for _, x := range all {
		x.Type, x.Same = "carried", x.Digest == is.Digest
		switch {
		case x.Digest == "":
			unread++
		case !x.Same:
			other++
			behind = append(behind, x.Region)
		}
		if err := c.Show(x); err != nil {
			return err
		}
	}
	for _, x := range all {
		if x.Policy == nil || x.Digest == is.Digest || shown[x.Digest] {
			continue
		}
		shown[x.Digest] = true
		for _, k := range policy.Changed(x.Policy, is) {
			if err := c.Show(KeyChanged{"changed", k[1].Path, k[0].Value, k[1].Value, x.Digest}); err != nil {
				return err
			}
		}
	}
	var errs []error
	switch {
	case len(all) == 0:
		return errors.New("no deployed function was found: see make deploy")
	case other > 0:
		commands := ""
		for _, region := range slices.Compact(slices.Sorted(slices.Values(behind))) {
			commands += "\n    " + policy.DeployCommand(c.PolicyFile, region, inv.HomeOf("").Region)
		}
		errs = append(errs, fmt.Errorf("%s another policy than %s; to deploy it:%s", Plural(other, "function carries", "functions carry"), c.PolicyFile, commands))
	}
	if unread > 0 {
		errs = append(errs, fmt.Errorf("of %s the policy could not be read", Plural(unread, "function", "functions")))
	}
	return errors.Join(errs...)
}

package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

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
	}
)

// Policy validates, explains and compares policy files. Only what it says of an instance or of
// the deployed functions is read from the cloud.
func Policy() Command {
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
		{Name: "policy diff", Args: "OLD NEW", Most: 2, About: "compare what two policy files say", Long: `
Comments, order and defaults that are written out make no difference. Exit status 0, also
where they differ.`, Bind: func(c *Call, _ *flag.FlagSet) Run {
			return func(_ context.Context, files []string) error {
				if len(files) != 2 {
					return Wrong("give two files: %s policy diff OLD NEW", Tool)
				}
				return c.diff(files[0], files[1])
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
		if err := c.Show(KeyChanged{"changed", k[1].Path, k[0].Value, k[1].Value}); err != nil {
			return err
		}
	}
	if len(changed) == 0 {
		c.Note("they say the same")
	}
	return nil
}

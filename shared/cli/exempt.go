package cli

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"fleetwarden/shared/command"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/policy/edit"
)

// Exempted is an exemption that was added to a policy file, or would be.
type Exempted struct {
	Type   string `json:"type"` // exempted
	File   string `json:"file"`
	DryRun bool   `json:"dryRun"`
	// Digest is that of the policy with the exemption.
	Digest string `json:"digest"`
	Diff   string `json:"diff"`
}

// Exempt adds an exemption to the policy file. now is the real time; nil means [time.Now].
func Exempt(now func() time.Time) command.Command {
	if now == nil {
		now = time.Now
	}
	return command.Command{Name: "exempt", Args: "ID", Most: 1, About: "add an exemption to the policy file", Long: `
It adds to the file of --policy, or $FLEETWARDEN_POLICY, that violations of one rule by the
instance, or the account, with this ID are excused until a day, and prints the difference. All
else in the file, comments and order, stays as it is. The file is written only if it is valid
with the exemption, and was not edited meanwhile. It calls nothing: deploy the file to have the
functions follow it.
    fleetwarden exempt i-bp67acfmxazb4ph --rule over-broad-role --owner "platform team" \
        --reason "moves until March, ticket 4711" --expires 2027-03-31

The rules of share-role, and kms-enabled, denied-launch and failed-share, are about accounts.`, Bind: func(c *command.Call, set *flag.FlagSet) command.Run {
		var e edit.Exemption
		set.StringVar(&e.Rule, "rule", "", "the `RULE` whose violations are excused")
		set.StringVar(&e.Owner, "owner", "", "the `NAME` of who answers for it")
		set.StringVar(&e.Reason, "reason", "", "`WHY` it exists")
		set.StringVar(&e.LastDay, "expires", "", "the last `DAY` on which it works, UTC, such as 2027-03-31")
		dryRun := set.Bool("dry-run", false, "only show the difference")
		return func(_ context.Context, args []string) error {
			if len(args) == 0 {
				return command.Wrong("give the ID of an instance or an account; see %s exempt --help", command.Tool)
			}
			if fleet.ValidInstanceID(args[0]) {
				e.Instance = args[0]
			} else {
				e.Account = args[0]
			}
			if err := complete(&e, now()); err != nil {
				return err
			}
			if c.PolicyFile == "" {
				return command.Wrong("give the policy file: --policy FILE, or $%s", invocation.PolicyVariable)
			}
			return exempt(c, e, now(), *dryRun)
		}
	}}
}

// complete checks a command line, and fills in the control.
func complete(e *edit.Exemption, now time.Time) error {
	for _, must := range []struct{ flag, value string }{{"rule", e.Rule}, {"owner", e.Owner}, {"reason", e.Reason}, {"expires", e.LastDay}} {
		if strings.TrimSpace(must.value) == "" {
			return command.Wrong("give --%s; see %s exempt --help", must.flag, command.Tool)
		}
	}
	if e.Instance == "" && !fleet.AccountID(e.Account).Valid() {
		return command.Wrong("%q is neither an instance id such as i-bp67acfmxazb4ph nor the number of an account", e.Account)
	}
	if e.Control = policy.ControlOf(e.Rule); e.Control == "" {
		return command.Wrong("--rule: there is no rule %q, only %s", e.Rule, strings.Join(policy.Rules(""), ", "))
	}
	day, err := time.Parse(time.DateOnly, e.LastDay)
	if err != nil {
		return command.Wrong("--expires: %q is not a day such as 2027-03-31", e.LastDay)
	}
	if !now.Before(day.AddDate(0, 0, 1)) {
		return command.Wrong("--expires: %s is over: the exemption would never work", e.LastDay)
	}
	return nil
}

func exempt(c *command.Call, e edit.Exemption, now time.Time, dryRun bool) error {
	before, err := os.ReadFile(c.PolicyFile)
	if err != nil {
		return fmt.Errorf("reading the policy file: %w", err)
	}
	old, err := policy.Load(c.PolicyFile, before)
	if err != nil {
		return err
	}
	if x, ok := old.Exempt(e.Control, e.Rule, exemptRef(e), fleet.Unknown[fleet.Listing]("not read"), now); ok {
		return fmt.Errorf("%s exempts it already, until %s, by %s (%s): change that exemption", c.PolicyFile, x.Expires.Add(-time.Nanosecond).UTC().Format(time.DateOnly), x.Owner, x.Reason)
	}
	after, err := edit.Exempt(c.PolicyFile, before, e)
	if err != nil {
		return err
	}
	p, err := policy.Load(c.PolicyFile, after)
	if err != nil {
		return err
	}
	if !dryRun {
		if err := replace(c.PolicyFile, before, after); err != nil {
			return fmt.Errorf("writing %s: %w", c.PolicyFile, err)
		}
	}
	return c.Show(Exempted{"exempted", c.PolicyFile, dryRun, p.Digest, edit.Diff(c.PolicyFile, string(before), string(after))})
}

func exemptRef(e edit.Exemption) fleet.Ref {
	if e.Instance != "" {
		return fleet.Ref{Kind: fleet.KindInstance, ID: e.Instance}
	}
	return fleet.Ref{Scope: fleet.Scope{Account: fleet.AccountID(e.Account)}, Kind: fleet.KindAccount}
}

var errEdited = errors.New("it was edited meanwhile: nothing was written; run the command again")

// replace puts another content in the place of a file's, at once and as a whole, if it still has
// the one that was read. A link stays one.
func replace(file string, before, after []byte) (err error) {
	if file, err = filepath.EvalSymlinks(file); err != nil {
		return err
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	next, err := os.CreateTemp(filepath.Dir(file), ".fleetwarden-policy-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(next.Name()))
		}
	}()
	_, err = next.Write(after)
	err = errors.Join(err, next.Chmod(info.Mode().Perm()), next.Sync(), next.Close())
	if err != nil {
		return err
	}
	now, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if !bytes.Equal(now, before) {
		return errEdited
	}
	return os.Rename(next.Name(), file)
}

// exempted shows the difference.
func (t *text) exempted(e Exempted) error {
	if err := t.flush(); err != nil {
		return err
	}
	if err := t.write(cleanLines(e.Diff)); err != nil {
		return err
	}
	if e.DryRun {
		return t.print("dry run: %s is as it was\n", e.File)
	}
	return t.print("%s is written; deploy it to have the functions follow it\n", e.File)
}

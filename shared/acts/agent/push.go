package agent

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/acts"
	"fleetwarden/shared/fleet"
)

// Commands are the ids of the commands that deployment created, by their names.
type Commands map[string]string

var commandID = regexp.MustCompile(`^c-[0-9A-Za-z-]{1,64}$`)

// ParseCommands reads the ids as deployment writes them: name=id,name=id. Empty text
// is no commands.
func ParseCommands(text string) (Commands, error) {
	out := Commands{}
	if text == "" {
		return out, nil
	}
	for _, part := range strings.Split(text, ",") {
		name, id, ok := strings.Cut(part, "=")
		if !ok || name == "" || !commandID.MatchString(id) {
			return nil, fmt.Errorf("reading the command ids: %q is not name=id", part)
		}
		out[name] = id
	}
	return out, nil
}

// ByName returns commands whose ids are their names, for an Invoker that sends scripts.
func ByName() Commands {
	return Commands{
		fleet.CommandAgentLinux: fleet.CommandAgentLinux, fleet.CommandAgentWindows: fleet.CommandAgentWindows,
		fleet.CommandTrustClient: fleet.CommandTrustClient,
	}
}

// installCode is the format of an install code, which becomes a command's parameter.
var installCode = regexp.MustCompile(`^[A-Za-z0-9]{1,64}$`)

// Invoker is the part of Cloud Assistant that pushing needs. It takes at most 100 ids, and
// the whole call fails for one unfit instance.
type Invoker interface {
	Invoke(ctx context.Context, region fleet.Region, commandID string, parameters map[string]fleet.Secret, ids []string) (invocation string, err error)
}

// Codes is the part of Security Center that issues install codes.
type Codes interface {
	InstallCodes(ctx context.Context, region fleet.Region) ([]fleet.InstallCode, error)
	AddInstallCode(ctx context.Context, region fleet.Region, os string, expires time.Time) error
}

const (
	// codeLife is the validity of a code that Fleetwarden creates.
	codeLife = 24 * time.Hour
	// codeLeft is the validity that a code must still have: an installation waits for its
	// delivery and runs up to ten minutes.
	codeLeft = 30 * time.Minute
	// afterLost is the delay of the next check after a lost answer: by then an invocation
	// that was made is listed.
	afterLost = time.Minute
)

// commandFor names the command for an operating system.
func commandFor(os string) string {
	if os == "windows" {
		return fleet.CommandAgentWindows
	}
	return fleet.CommandAgentLinux
}

// Push runs installations of the agent by Cloud Assistant, one call for each operating
// system and 100 instances, for [fleet.PushAgent]. now is the cloud's time.
func Push(i Invoker, codes Codes, commands Commands, now func() time.Time) acts.Act {
	return func(ctx context.Context, s fleet.Scope, cs []fleet.Change) []fleet.Result {
		out := make([]fleet.Result, len(cs))
		book := &codeBook{codes: codes, region: s.Region, now: now()}
		for os, at := range byOS(cs) {
			id, err := commands.id(commandFor(os), s.Account)
			if err != nil {
				fail(cs, at, out, failure{"finding the command", err})
				continue
			}
			code, err := book.code(ctx, os)
			if err != nil {
				fail(cs, at, out, failure{"getting an install code", err})
				continue
			}
			run(ctx, i, target{s.Region, id, map[string]fleet.Secret{"code": code}}, cs, at, out)
		}
		return out
	}
}

// PushTrustClient runs installations of the trust client by Cloud Assistant, for
// [fleet.PushTrustClient].
func PushTrustClient(i Invoker, commands Commands) acts.Act {
	return func(ctx context.Context, s fleet.Scope, cs []fleet.Change) []fleet.Result {
		out := make([]fleet.Result, len(cs))
		all := make([]int, len(cs))
		for n := range cs {
			all[n] = n
		}
		id, err := commands.id(fleet.CommandTrustClient, s.Account)
		if err != nil {
			fail(cs, all, out, failure{"finding the command", err})
			return out
		}
		run(ctx, i, target{s.Region, id, nil}, cs, all, out)
		return out
	}
}

// byOS groups the indices of changes by operating system, in a fixed order.
func byOS(cs []fleet.Change) func(func(string, []int) bool) {
	groups := map[string][]int{}
	for n, c := range cs {
		groups[c.Want] = append(groups[c.Want], n)
	}
	return func(yield func(string, []int) bool) {
		for _, os := range slices.Sorted(maps.Keys(groups)) {
			if !yield(os, groups[os]) {
				return
			}
		}
	}
}

// id returns the id of a command, or an error if the account has none.
func (c Commands) id(name string, account fleet.AccountID) (string, error) {
	if c[name] == "" {
		return "", fmt.Errorf("%s has no id in account %s; deployment creates the commands in its own account alone", name, account)
	}
	return c[name], nil
}

type failure struct {
	doing string
	err   error
}

// fail sets the same failure for the changes at those indices.
func fail(cs []fleet.Change, at []int, out []fleet.Result, f failure) {
	for _, n := range at {
		out[n] = fleet.Failure(cs[n], f.doing, f.err)
	}
}

// target is a command with its parameters in a region.
type target struct {
	region     fleet.Region
	command    string // its id
	parameters map[string]fleet.Secret
}

// run invokes the command on the changes at those indices, and settles them.
func run(ctx context.Context, i Invoker, t target, cs []fleet.Change, at []int, out []fleet.Result) {
	for part := range slices.Chunk(at, fleet.MaxBatch) {
		invoke(ctx, i, t, cs, part, out)
	}
}

// invoke runs the command on one part. One unfit instance fails the whole call; then each
// half is tried, so that the others proceed.
func invoke(ctx context.Context, i Invoker, t target, cs []fleet.Change, part []int, out []fleet.Result) {
	ids := make([]string, len(part))
	for n, at := range part {
		ids[n] = cs[at].Ref.ID
	}
	invocation, err := i.Invoke(ctx, t.region, t.command, t.parameters, ids)
	if err != nil && len(part) > 1 && fleet.OfInstance(err) {
		half := len(part) / 2
		invoke(ctx, i, t, cs, part[:half], out)
		invoke(ctx, i, t, cs, part[half:], out)
		return
	}
	for _, at := range part {
		if err != nil {
			out[at] = unsent(cs[at], err)
			continue
		}
		out[at] = fleet.Result{Change: cs[at], State: fleet.Started, After: "invocation " + invocation, RequestIDs: []string{invocation}}
	}
}

func unsent(c fleet.Change, err error) fleet.Result {
	res := fleet.Failure(c, "invoking the command", err)
	switch {
	case fleet.ClassOf(err) == fleet.Lost:
		res.Again = afterLost // our invocations are read before the next push
	case fleet.OfInstance(err):
		res.State = fleet.Later // stopped or released meanwhile: the next check decides
	}
	return res
}

// codeBook finds one install code for each operating system, listing them once.
type codeBook struct {
	codes  Codes
	region fleet.Region
	now    time.Time
	listed []fleet.InstallCode // nil before they are listed
}

var errNoCode = errors.New("no install code: Security Center lists no usable one, even after one was created")

// code returns a code for os with enough validity left. Without one it creates one and
// lists them again, since the answer of the creation does not contain it.
func (b *codeBook) code(ctx context.Context, os string) (fleet.Secret, error) {
	for _, create := range []bool{false, true} {
		if create {
			if err := b.codes.AddInstallCode(ctx, b.region, os, b.now.Add(codeLife)); err != nil && fleet.ClassOf(err) != fleet.Lost {
				return "", fmt.Errorf("creating an install code: %w", err)
			}
		}
		if create || b.listed == nil {
			listed, err := b.codes.InstallCodes(ctx, b.region)
			if err != nil {
				return "", fmt.Errorf("listing install codes: %w", err)
			}
			b.listed = append([]fleet.InstallCode{}, listed...) // not nil
		}
		if code, ok := b.find(os); ok {
			return code, nil
		}
	}
	return "", errNoCode
}

func (b *codeBook) find(os string) (fleet.Secret, bool) {
	for _, c := range b.listed {
		if strings.EqualFold(c.OS, os) && c.Vendor == "ALIYUN" && !c.OnlyImage && c.Expires.Sub(b.now) > codeLeft &&
			installCode.MatchString(string(c.Code)) {
			return c.Code, true
		}
	}
	return "", false
}

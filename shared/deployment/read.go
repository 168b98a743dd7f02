package deployment

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"fleetwarden/shared/aliyun/eventbridge"
	"fleetwarden/shared/aliyun/fc"
	"fleetwarden/shared/fleet"
)

// Functions reads the functions of one region.
type Functions interface {
	Names(ctx context.Context, prefix string) ([]string, error)
	Get(ctx context.Context, name string) (*fc.Function, error)
	Tags(ctx context.Context, arn string) (map[string]string, error)
	Async(ctx context.Context, name string) (*fc.Async, error)
	Reserved(ctx context.Context, name string) (*int, error)
	Triggers(ctx context.Context, name string) ([]fc.Trigger, error)
}

// Roles reads RAM.
type Roles interface {
	Role(ctx context.Context, name string) (fleet.Role, error)
}

// Rules reads the event rules of one region.
type Rules interface {
	Rule(ctx context.Context, bus, name string) (*eventbridge.Rule, error)
}

// Trails reads ActionTrail.
type Trails interface {
	// Logging returns the trails that log the write calls of region, read from the endpoint
	// of home.
	Logging(ctx context.Context, home, region fleet.Region) ([]string, error)
}

// Tag marks a function as Fleetwarden's; its value is the deployment's name.
const Tag = "fleetwarden:deployment"

// TagSetting is the setting that holds the tag.
const TagSetting = "tag " + Tag

// Cloud has the clients that read a deployment.
type Cloud struct {
	Functions func(fleet.Region) Functions
	Rules     func(fleet.Region) Rules
	Roles     Roles
	Trails    Trails
}

// Read reads the existing part of the wanted deployment, and functions of the same
// deployment that are no longer wanted.
func (c Cloud) Read(ctx context.Context, want Record) (Record, error) {
	have := want
	have.Functions, have.Roles, have.Rules = nil, nil, nil
	for _, w := range want.Functions {
		f, err := c.Function(ctx, w)
		if err != nil {
			return have, fmt.Errorf("reading %s: %w", w, err)
		}
		if f != nil {
			have.Functions = append(have.Functions, *f)
		}
	}
	left, err := c.leftovers(ctx, want)
	if err != nil {
		return have, err
	}
	have.Functions = append(have.Functions, left...)
	for _, w := range want.Roles {
		r, err := c.Role(ctx, w.Name)
		if err != nil {
			return have, err
		}
		if r != nil {
			have.Roles = append(have.Roles, *r)
		}
	}
	for _, w := range want.Rules {
		got, err := c.Rule(ctx, w)
		if err != nil {
			return have, fmt.Errorf("reading %s: %w", w, err)
		}
		if got != nil {
			have.Rules = append(have.Rules, *got)
		}
	}
	if have.Trails, err = c.Trails.Logging(ctx, want.Home, want.Region); err != nil {
		return have, fmt.Errorf("reading the trails: %w", err)
	}
	return have, nil
}

// Function reads the existing function of a wanted one; nil if there is none.
func (c Cloud) Function(ctx context.Context, w Function) (*Function, error) {
	return readFunction(ctx, c.Functions(w.Region), w)
}

// Role reads a role with its policies; nil if there is none.
func (c Cloud) Role(ctx context.Context, name string) (*Role, error) {
	r, err := c.Roles.Role(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("reading role %s: %w", name, err)
	}
	if r.Missing {
		return nil, nil
	}
	role, err := RoleOf(r)
	return &role, err
}

// Rule reads the existing rule of a wanted one; nil if there is none.
func (c Cloud) Rule(ctx context.Context, w Rule) (*Rule, error) {
	got, err := c.Rules(w.Region).Rule(ctx, w.Bus, w.Name)
	if fleet.ClassOf(err) == fleet.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out := ruleOf(w, got)
	return &out, nil
}

// leftovers are the functions with the deployment's tag in the regions of the wanted ones,
// but without a wanted name: an older s.yaml had them. The home region has its own
// functions under the names of another region's.
func (c Cloud) leftovers(ctx context.Context, want Record) ([]Function, error) {
	var out []Function
	regions := map[fleet.Region]bool{}
	for _, w := range want.Functions {
		if regions[w.Region] {
			continue
		}
		regions[w.Region] = true
		api := c.Functions(w.Region)
		names, err := api.Names(ctx, fleet.Prefix)
		if err != nil {
			return nil, fmt.Errorf("listing the functions of %s: %w", w.Region, err)
		}
		for _, name := range names {
			if slices.ContainsFunc(want.Functions, func(w Function) bool { return w.Name == name }) {
				continue
			}
			f := Function{Name: name, Region: w.Region}
			read, err := readFunction(ctx, api, f)
			if err != nil {
				return nil, fmt.Errorf("reading %s: %w", f, err)
			}
			if read != nil && read.Settings[TagSetting] == w.Settings[TagSetting] {
				out = append(out, *read)
			}
		}
	}
	return out, nil
}

func readFunction(ctx context.Context, api Functions, w Function) (*Function, error) {
	got, err := api.Get(ctx, w.Name)
	if fleet.ClassOf(err) == fleet.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out := &Function{Name: w.Name, Region: w.Region, Checksum: got.CodeChecksum, Settings: settingsOf(got), Triggers: map[string]Trigger{}}
	tags, err := api.Tags(ctx, got.ARN)
	if err != nil {
		return nil, err
	}
	out.Settings[TagSetting] = tags[Tag]
	async, err := api.Async(ctx, w.Name)
	if err != nil {
		return nil, err
	}
	if async != nil {
		out.Settings["maxAsyncEventAgeInSeconds"] = strconv.Itoa(async.MaxAge)
		out.Settings["maxAsyncRetryAttempts"] = strconv.Itoa(async.MaxAttempts)
		out.Settings["onFailure"] = async.Destination.OnFailure.Destination
		if to := async.Destination.OnSuccess.Destination; to != "" {
			out.Settings["onSuccess"] = to
		}
	}
	reserved, err := api.Reserved(ctx, w.Name)
	if err != nil {
		return nil, err
	}
	if reserved != nil {
		out.Settings["reservedConcurrency"] = strconv.Itoa(*reserved)
	}
	triggers, err := api.Triggers(ctx, w.Name)
	for _, t := range triggers {
		out.Triggers[t.Name] = Trigger{t.Type, t.Config, AliasOf(t.Qualifier)}
	}
	return out, err
}

// AliasOf is the version or alias that a qualifier names; empty for the newest code.
func AliasOf(qualifier string) string {
	if qualifier == fc.Latest {
		return ""
	}
	return qualifier
}

// settingsOf are the settings that GetFunction returns, under the names of s.yaml.
func settingsOf(f *fc.Function) map[string]string {
	out := map[string]string{
		"runtime": f.Runtime, "handler": f.Handler, "role": ownRole(f),
		"cpu": strconv.FormatFloat(f.CPU, 'g', -1, 64), "memorySize": strconv.Itoa(f.MemorySize),
		"diskSize": strconv.Itoa(f.DiskSize), "timeout": strconv.Itoa(f.Timeout),
		"logs":         f.Log.Project + "/" + f.Log.Logstore,
		"logBeginRule": f.Log.BeginRule, "enableRequestMetrics": strconv.FormatBool(f.Log.RequestMetrics), "state": f.State, "lastUpdateStatus": f.LastUpdate,
	}
	// Settings that one of our functions has only if another person made them.
	if f.Restriction.Disable {
		out["invocationRestriction"] = f.Restriction.Reason
	}
	if f.DisableOndemand {
		out["disableOndemand"] = "true"
	}
	if f.InternetAccess != nil && !*f.InternetAccess {
		out["internetAccess"] = "false"
	}
	for _, l := range f.Layers {
		out["layer "+l.ARN] = "attached"
	}
	if f.VPC.ID != "" {
		out["vpcConfig"] = f.VPC.ID
	}
	for name, v := range f.Environment {
		out["env."+name] = Digest(v)
	}
	return out
}

// ownRole is the name of a function's role, or its ARN if the role is of another account.
func ownRole(f *fc.Function) string {
	if arn := strings.Split(f.ARN, ":"); len(arn) > 3 {
		return strings.TrimPrefix(f.Role, "acs:ram::"+arn[3]+":role/")
	}
	return f.Role
}

// ruleOf is the wanted rule as EventBridge returns it.
func ruleOf(w Rule, got *eventbridge.Rule) Rule {
	out := Rule{Bus: w.Bus, Name: w.Name, Region: w.Region, Status: got.Status, Pattern: Pattern(got.Pattern)}
	for _, t := range got.Targets {
		target := RuleTarget{ID: t.ID, Type: t.Type, Endpoint: t.Endpoint, Retry: t.Retry, DeadLetters: t.DeadLetter.ARN, Params: map[string]string{}}
		for _, p := range t.Params {
			if p.Key == "IsBase64Encode" && p.Value == "false" {
				continue // EventBridge adds it to targets that were created without it
			}
			target.Params[p.Key] = strings.TrimSpace(p.Form + " " + p.Value + " " + p.Template)
		}
		out.Targets = append(out.Targets, target)
	}
	return out
}

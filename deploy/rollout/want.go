package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"hash/crc64"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"fleetwarden/deploy/local/manifest"
	"fleetwarden/shared/deployment"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// want is the deployment that s.yaml, its zips and the folder deploy describe.
func (r *rollout) want() (deployment.Record, error) {
	w := deployment.Record{V: deployment.Version, Account: r.account, Region: r.region, Home: r.home, Build: r.build}
	for _, name := range slices.Sorted(maps.Keys(r.manifest.Resources)) {
		p := r.manifest.Resources[name].Props
		f, err := r.wanted(p)
		if err != nil {
			return w, fmt.Errorf("%s: %w", name, err)
		}
		w.Functions = append(w.Functions, f)
		role, err := r.role(name, p.Role)
		if err != nil {
			return w, fmt.Errorf("%s: %w", name, err)
		}
		w.Roles = append(w.Roles, role)
		if w.Policy, err = r.shipped(p.Code); err != nil {
			return w, fmt.Errorf("reading the policy of %s (make package writes it): %w", name, err)
		}
	}
	var err error
	w.Rules, err = r.rules()
	return w, err
}

// coded has the code of the functions that exist.
func coded(want, have deployment.Record) deployment.Record {
	want.Functions = slices.Clone(want.Functions)
	for i, w := range want.Functions {
		for _, h := range have.Functions {
			if h.Name == w.Name && h.Region == w.Region {
				want.Functions[i].Checksum = h.Checksum
			}
		}
	}
	return want
}

// shipped is the digest of the policy that a function has.
func (r *rollout) shipped(zip string) (string, error) {
	if r.policy == "" {
		text, err := os.ReadFile(filepath.Join(strings.TrimSuffix(r.path(zip), ".zip"), "policy.json"))
		return fmt.Sprintf("%x", sha256.Sum256(text)), err
	}
	text, err := os.ReadFile(r.policy)
	if err != nil {
		return "", err
	}
	p, err := policy.Load(r.policy, text)
	if err != nil {
		return "", err
	}
	return p.Digest, nil
}

// rules are the event rules that Terraform creates in this region.
func (r *rollout) rules() ([]deployment.Rule, error) {
	members := strings.FieldsFunc(os.Getenv("FLEETWARDEN_MEMBERS"), func(c rune) bool { return c == ',' })
	all, err := manifest.Rules(r.path("deploy"), string(r.account), string(r.region), string(r.home), members)
	var out []deployment.Rule
	for _, x := range all {
		out = append(out, deployment.Rule{
			Bus: x.Bus, Name: x.Name, Region: r.region, Status: "ENABLE", Pattern: deployment.Pattern(string(x.Pattern)),
			Targets: []deployment.RuleTarget{{
				ID: x.Queue, Type: "acs.mns.queue", Endpoint: x.Endpoint, Retry: x.Retry, DeadLetters: x.DeadLetters,
				Params: map[string]string{"queue": "CONSTANT " + x.Queue, "Body": "ORIGINAL"},
			}},
		})
	}
	return out, err
}

// path resolves a path of s.yaml, which is relative to it.
func (r *rollout) path(p string) string {
	return filepath.Join(filepath.Dir(r.options.manifest), filepath.FromSlash(p))
}

func (r *rollout) wanted(p manifest.Function) (deployment.Function, error) {
	f := deployment.Function{Name: p.FunctionName, Region: fleet.Region(p.Region), Settings: settings(p), Triggers: map[string]deployment.Trigger{}}
	if r.policy == "" {
		code, err := os.ReadFile(r.path(p.Code))
		if err != nil {
			return f, fmt.Errorf("reading the code (make package writes it): %w", err)
		}
		f.Checksum = strconv.FormatUint(crc64.Checksum(code, crc64.MakeTable(crc64.ECMA)), 10)
	}
	for _, t := range p.Triggers {
		var config any
		if err := t.Config.Decode(&config); err != nil {
			return f, fmt.Errorf("trigger %s: %w", t.Name, err)
		}
		text, err := json.Marshal(config)
		if err != nil {
			return f, fmt.Errorf("trigger %s: %w", t.Name, err)
		}
		f.Triggers[t.Name] = deployment.Trigger{Type: t.Type, Config: string(text), Qualifier: deployment.AliasOf(t.Qualifier)}
	}
	return f, nil
}

// settings are those that deployment.Cloud reads back.
func settings(p manifest.Function) map[string]string {
	out := map[string]string{
		"runtime": p.Runtime, "handler": p.Handler, "role": p.Role,
		"cpu": strconv.FormatFloat(p.CPU, 'g', -1, 64), "memorySize": strconv.Itoa(p.MemorySize),
		"diskSize": strconv.Itoa(p.DiskSize), "timeout": strconv.Itoa(p.Timeout),
		"logs":         p.LogConfig.Project + "/" + p.LogConfig.Logstore,
		"logBeginRule": p.LogConfig.LogBeginRule, "enableRequestMetrics": strconv.FormatBool(p.LogConfig.EnableRequestMetrics), "state": "Active", "lastUpdateStatus": "Successful",
	}
	if p.InternetAccess != nil && !*p.InternetAccess {
		out["internetAccess"] = "false"
	}
	for name, v := range p.EnvironmentVariables {
		out["env."+name] = deployment.Digest(v)
	}
	for _, t := range p.Tags {
		if t.Key == deployment.Tag {
			out[deployment.TagSetting] = t.Value
		}
	}
	if a := p.AsyncInvokeConfig; a != nil {
		out["maxAsyncEventAgeInSeconds"] = strconv.Itoa(a.MaxAsyncEventAgeInSeconds)
		out["maxAsyncRetryAttempts"] = strconv.Itoa(*a.MaxAsyncRetryAttempts)
		if to := a.DestinationConfig.OnFailure; to != nil {
			out["onFailure"] = to.Destination
		}
		if to := a.DestinationConfig.OnSuccess; to != nil {
			out["onSuccess"] = to.Destination
		}
	}
	if n := p.ConcurrencyConfig.ReservedConcurrency; n > 0 {
		out["reservedConcurrency"] = strconv.Itoa(n)
	}
	return out
}

// role is that of a function: it has the rights of its file, and may have those of the
// optional files that begin with its name.
func (r *rollout) role(function, name string) (deployment.Role, error) {
	dir := r.path("deploy/ram")
	own, err := os.ReadFile(filepath.Join(dir, function+".json"))
	if err != nil {
		return deployment.Role{}, err
	}
	out, err := deployment.RoleOf(fleet.Role{Name: name, Trust: deployment.Trust(), Policies: []fleet.Policy{{Name: function, Document: withCommands(string(own))}}})
	if err != nil {
		return out, err
	}
	optional, err := filepath.Glob(filepath.Join(dir, "optional", function+"-*.json"))
	if err != nil {
		return out, err
	}
	for _, path := range optional {
		text, err := os.ReadFile(path)
		if err != nil {
			return out, err
		}
		statements, err := deployment.Statements(text)
		if err != nil {
			return out, fmt.Errorf("reading %s: %w", path, err)
		}
		out.May = append(out.May, statements...)
	}
	return out, nil
}

// withCommands replaces the names of this region's commands by their ids.
func withCommands(document string) string {
	for _, c := range strings.Split(os.Getenv("FLEETWARDEN_COMMANDS"), ",") {
		if name, id, ok := strings.Cut(c, "="); ok {
			document = strings.ReplaceAll(document, "{"+name+"}", id)
		}
	}
	return document
}

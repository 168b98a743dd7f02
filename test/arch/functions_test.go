package arch_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/manifest"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/policy"
)

var top = filepath.Join("..", "..")

// names are the functions of the table that fit, sorted.
func names(fits func(fleet.Function) bool) (out []string) {
	for _, f := range fleet.Functions() {
		if fits(f) {
			out = append(out, f.Name)
		}
	}
	slices.Sort(out)
	return out
}

func every(fleet.Function) bool { return true }

// stems are the names of the files of a pattern, without a suffix.
func stems(t *testing.T, pattern, suffix string) (out []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(top, pattern))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range paths {
		out = append(out, strings.TrimSuffix(filepath.Base(p), suffix))
	}
	return out
}

// The Makefile takes its functions from deploy/ram.
func TestTheFilesNameTheFunctionsOfTheTable(t *testing.T) {
	trust, err := os.ReadFile(filepath.Join(top, "deploy", "ram", "member", "trust.json"))
	if err != nil {
		t.Fatal(err)
	}
	var trusted, folders []string
	for _, m := range regexp.MustCompile("role/"+fleet.Prefix+"([a-z-]+)").FindAllStringSubmatch(string(trust), -1) {
		trusted = append(trusted, m[1])
	}
	for _, name := range names(every) {
		folders = append(folders, strings.ReplaceAll(name, "-", ""))
	}
	slices.Sort(folders)
	if diff := cmp.Diff(folders, stems(t, "functions/*", "")); diff != "" {
		t.Errorf("functions: %s", diff)
	}
	if diff := cmp.Diff(names(every), stems(t, "deploy/ram/*.json", ".json")); diff != "" {
		t.Errorf("deploy/ram: %s", diff)
	}
	for where, got := range map[string][]string{
		"deploy/ram/optional/*-members":  stems(t, "deploy/ram/optional/*-members.json", "-members.json"),
		"deploy/ram/member/trust.json":   trusted,
		"the sessions in other accounts": names(func(f fleet.Function) bool { return invocation.SessionPolicy(f.Name) != "" }),
	} {
		if diff := cmp.Diff(names(abroad), got); diff != "" {
			t.Errorf("%s: %s", where, diff)
		}
	}
}

// abroad says that a function works in other accounts, too.
func abroad(f fleet.Function) bool { return !f.Alone }

func TestTheManifestDeploysTheFunctionsOfTheTable(t *testing.T) {
	const region, home = "cn-shanghai", "cn-hangzhou"
	m, err := manifest.Load(filepath.Join(top, "s.yaml"), manifest.Options{Account: "1000000000000001", Env: func(name string) (string, bool) {
		value, ok := map[string]string{"REGION": region, "HOME_REGION": home}[name]
		return value, ok
	}})
	if err != nil {
		t.Fatal(err)
	}
	for name := range m.Resources {
		if fleet.FunctionNamed(name).Name == "" {
			t.Errorf("s.yaml deploys %s, which is not in the table", name)
		}
	}
	for _, f := range fleet.Functions() {
		p := m.Resources[f.Name].Props
		if p.FunctionName != fleet.CloudName(f.Name) || p.Role != invocation.Role(f.Name) || p.Code != "./dist/"+f.Name+".zip" {
			t.Errorf("%s: s.yaml has function %s, role %s, code %s", f.Name, p.FunctionName, p.Role, p.Code)
		}
		if got := p.Region == home; got != f.Home {
			t.Errorf("%s: s.yaml deploys it in %s", f.Name, p.Region)
		}
		var inbox, timer bool
		for _, tr := range p.Triggers {
			timer = timer || tr.Timer != nil
			if e := tr.EventBridge; e != nil && e.EventSourceConfig.Parameters.MNS != nil {
				inbox = e.EventSourceConfig.Parameters.MNS.QueueName == fleet.CloudName(f.Name)
			}
		}
		if inbox != f.HasInbox() || inbox != slices.Contains(f.Events, fleet.EventMessage) || timer != slices.Contains(f.Events, fleet.EventTimer) {
			t.Errorf("%s: s.yaml gives it an inbox: %v, a timer: %v; the table has %+v", f.Name, inbox, timer, f)
		}
	}
}

func TestEachInboxHasAQueue(t *testing.T) {
	all, err := manifest.Queues(filepath.Join(top, "deploy"), "cn-hangzhou", "cn-hangzhou")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, q := range all {
		name, _ := fleet.FunctionOf(q.Name)
		if q.DeadLetter == nil {
			continue // dead letters and copies of findings
		}
		got = append(got, name)
		if home := q.Where == "home"; home != fleet.FunctionNamed(name).Home {
			t.Errorf("the queue of %s is in the home region alone: %v", name, home)
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(names(fleet.Function.HasInbox), got); diff != "" {
		t.Error(diff)
	}
}

func TestEachControlHasOneOwner(t *testing.T) {
	var owned []string
	for _, f := range fleet.Functions() {
		if f.Control != "" {
			owned = append(owned, f.Control)
		}
		if (f.Control != "") != (len(f.Changes) > 0) || f.Control != "" && fleet.Owner(f.Control) != f.Name {
			t.Errorf("%s owns %q, which is of %q, and makes %v", f.Name, f.Control, fleet.Owner(f.Control), f.Changes)
		}
	}
	if diff := cmp.Diff([]string{policy.ControlTrustedInstance, policy.ControlInstanceRole, policy.ControlAgent, policy.ControlShareRole}, owned); diff != "" {
		t.Error(diff)
	}
	if fleet.Owner("") != "" || fleet.Owner("other") != "" {
		t.Error("what is no control has an owner")
	}
}

package arch_test

import (
	"encoding/json"
	"go/ast"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fleetwarden/shared/fleet"
)

// powers ties the acts that a main may wire to the RAM actions they need. A function
// that wires an act without the actions cannot work; actions that no wired act or
// reader needs are a hole.
var powers = map[string][]string{
	"instancerole.Ensure":   {"ram:CreateRole", "ram:CreatePolicy", "ram:AttachPolicyToRole", "ram:GetRole", "ram:GetPolicy"},
	"instancerole.Grant":    {"ram:CreatePolicy", "ram:AttachPolicyToRole", "ram:GetRole", "ram:GetPolicy"},
	"instancerole.Attach":   {"ecs:AttachInstanceRamRole", "ecs:DescribeInstanceRamRole", "ram:PassRole", "oss:PutObject"}, // the ledger has it first
	"instancerole.Replace":  {"ecs:AttachInstanceRamRole", "ecs:DescribeInstanceRamRole", "ram:PassRole"},                  // detaching has to be asked for: ram/optional
	"agent.Refresh":         {"yundun-sas:RefreshAssets"},
	"agent.Push":            {"ecs:InvokeCommand", "yundun-sas:AddInstallCode", "oss:PutObject"},
	"sharerole.Ensure":      {"ram:CreateRole", "ram:GetRole"},
	"sharerole.SetTrust":    {"ram:UpdateRole", "ram:GetRole"},
	"sharerole.Mark":        {"ram:TagResources", "ram:ListTagResources"},
	"sharerole.SetKeys":     {"ram:CreatePolicy", "ram:CreatePolicyVersion", "ram:GetPolicy", "oss:PutObject"},
	"sharerole.Attach":      {"ram:AttachPolicyToRole", "ram:GetRole"},
	"sharerole.Detach":      {"ram:DetachPolicyFromRole", "ram:GetRole"},
	"agent.PushTrustClient": {"ecs:InvokeCommand", "ecs:TagResources"}, // the tag says that it was done
	"sweep.Sweep":           {"oss:PutObject"},                         // it keeps what it finds
	"clients.Delivery":      {"oss:PutObject"},                         // of notify
	"command.Plan":          {"oss:PutObject"},
	"command.Redrive":       {"mns:DeleteMessage", "mns:BatchDeleteMessage", "mns:BatchReceiveMessage"}, // a letter that was sent back leaves its queue
}

// optionalPowers are the actions of acts that the operator has to allow: a file of
// deploy/ram/optional has them where the function's own file does not.
var optionalPowers = map[string][]string{
	"agent.OneClick": {"yundun-sas:OperateAgentClientInstall"},
	"sanction.Tag":   {"ecs:TagResources"},
	"sanction.Stop":  {"ecs:StopInstances"},
}

// writes are the verbs of RAM actions that change something.
var writes = []string{"Attach", "BatchDelete", "Create", "Delete", "Detach", "Update", "Put", "Set", "PassRole", "Run", "Invoke", "Stop", "Tag", "Add", "Refresh"}

func TestAFunctionHasTheRightsOfItsActsAndNoOthers(t *testing.T) {
	needs := map[string][]string{} // by folder
	for _, f := range tree(t) {
		if f.test || !below(f.dir, "functions") {
			continue
		}
		needs[f.dir] = append(needs[f.dir], needed(f)...)
	}
	for dir, needed := range needs {
		granted := grantedBy(t, dir)
		for _, action := range needed {
			if !slices.Contains(granted, action) {
				t.Errorf("%s wires an act that needs %s, which its RAM file does not allow", dir, action)
			}
		}
		for _, action := range granted {
			_, verb, _ := strings.Cut(action, ":")
			writing := slices.ContainsFunc(writes, func(w string) bool { return strings.HasPrefix(verb, w) })
			if action == "oss:PutObject" && slices.Contains(finders(), nameOf(dir)) {
				continue // for fcrun, by a test of its own; where else it may write, TestAFunctionWritesIntoItsOwnPartOfTheLedger says
			}
			if writing && !slices.Contains(needed, action) {
				t.Errorf("%s may %s, and wires no act that needs it", dir, action)
			}
		}
	}
}

// An act without a row in these lists has no rights, and nothing else would say so.
func TestEachActThatAMainWiresIsOneWhoseRightsAreKnown(t *testing.T) {
	files := tree(t)
	acts, wired := actsIn(files), 0
	for _, f := range files {
		if f.test || !below(f.dir, "functions") {
			continue
		}
		for _, act := range acts {
			pkg, name, _ := strings.Cut(act, ".")
			if !slices.ContainsFunc(calls(f, pkg), func(u use) bool { return u.name == name }) {
				continue
			}
			wired++
			if powers[act] == nil && optionalPowers[act] == nil {
				t.Errorf("%s wires %s: which actions does it need?", f.name, act)
			}
			for _, action := range optionalPowers[act] {
				if !slices.Contains(optionallyGrantedBy(t, f.dir), action) {
					t.Errorf("%s wires %s, which needs %s: neither its RAM file nor deploy/ram/optional allows that", f.name, act, action)
				}
			}
		}
	}
	if wired == 0 {
		t.Error("no main wires an act")
	}
}

// actsIn are the functions of shared/acts that return an act, with their packages.
func actsIn(files []file) (out []string) {
	for _, f := range files {
		if f.test || !below(f.dir, "shared/acts") {
			continue
		}
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || !fn.Name.IsExported() || fn.Type.Results.NumFields() != 1 {
				continue
			}
			if sel, ok := fn.Type.Results.List[0].Type.(*ast.SelectorExpr); ok && ident(sel.X) == "acts" && sel.Sel.Name == "Act" {
				out = append(out, f.ast.Name.Name+"."+fn.Name.Name)
			}
		}
	}
	return out
}

// Function Compute sends what failed to the end to the dead letters, and writes the log,
// with the function's role. Nothing in the function's code shows that.
func TestThePlatformMayDoItsPartInEachFunctionsName(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "deploy", "ram", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no RAM files: %v", err)
	}
	for _, path := range files {
		got := grants(t, path)
		for _, want := range []grant{
			{"mns:SendMessage", "acs:mns:*:*:/queues/fleetwarden-dead-letters/messages"},
			{"log:PostLogStoreLogs", "acs:log:*:*:project/fleetwarden-*/logstore/functions"},
		} {
			if !slices.Contains(got, want) {
				t.Errorf("%s does not allow %s on %s", path, want.action, want.resource)
			}
		}
	}
}

// needed are the RAM actions of the acts that a file wires.
func needed(f file) []string {
	var out []string
	for act, actions := range powers {
		pkg, name, _ := strings.Cut(act, ".")
		if slices.ContainsFunc(calls(f, pkg), func(u use) bool { return u.name == name }) {
			out = append(out, actions...)
		}
	}
	return out
}

// nameOf is the function of a folder.
func nameOf(dir string) string {
	for _, name := range fleet.Functions() {
		if strings.ReplaceAll(name.Name, "-", "") == filepath.Base(dir) {
			return name.Name
		}
	}
	return ""
}

// grantedBy lists the actions in a function's RAM file: functions/attachrole is
// deployed as attach-role.
func grantedBy(t *testing.T, dir string) []string {
	t.Helper()
	name := nameOf(dir)
	if name == "" {
		t.Fatalf("no function of the table is in %s", dir)
	}
	return actions(t, filepath.Join(top, "deploy", "ram", name+".json"))
}

// optionallyGrantedBy lists these, and those of the function's optional files.
func optionallyGrantedBy(t *testing.T, dir string) []string {
	t.Helper()
	out := grantedBy(t, dir)
	for _, name := range stems(t, "deploy/ram/optional/*.json", "") {
		if strings.HasPrefix(strings.ReplaceAll(name, "-", ""), filepath.Base(dir)) {
			out = append(out, actions(t, filepath.Join(top, "deploy/ram/optional", name))...)
		}
	}
	return out
}

func actions(t *testing.T, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Statement []struct{ Action any }
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	var out []string
	for _, s := range doc.Statement {
		switch a := s.Action.(type) {
		case string:
			out = append(out, a)
		case []any:
			for _, x := range a {
				out = append(out, x.(string))
			}
		}
	}
	return out
}

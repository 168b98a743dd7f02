package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"fleetwarden/deploy/local/manifest"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/deployment"
)

// toolURL is the environment variable that makes this binary a stand-in of the tool by
// whose name it is called: it asks the test there what to answer.
const toolURL = "ROLLOUT_TEST_TOOL_URL"

func TestMain(m *testing.M) {
	if url := os.Getenv(toolURL); url != "" {
		os.Exit(standIn(url))
	}
	os.Exit(m.Run())
}

// call is one call of a tool.
type call struct {
	Tool, Dir string
	Args, Env []string
	answered  chan answer
}

// answer is what the tool prints and the status it ends with.
type answer struct {
	Out  string
	Code int
}

func standIn(url string) int {
	dir, err := os.Getwd()
	var text []byte
	if err == nil {
		text, err = json.Marshal(call{Tool: filepath.Base(os.Args[0]), Dir: dir, Args: os.Args[1:], Env: os.Environ()})
	}
	var resp *http.Response
	if err == nil {
		resp, err = http.Post(url, "application/json", bytes.NewReader(text))
	}
	var a answer
	if err == nil {
		defer resp.Body.Close()
		err = json.NewDecoder(resp.Body).Decode(&a)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "stand-in:", err)
		return 99
	}
	fmt.Print(a.Out)
	return a.Code
}

func (c call) String() string { return strings.Join(append([]string{c.Tool}, c.Args...), " ") }

func (c call) env(name string) (string, bool) {
	for _, v := range slices.Backward(c.Env) {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value, true
		}
	}
	return "", false
}

// checkout is a copy of the repository in which "make deploy" runs with stand-ins of
// Terraform and Serverless Devs against the local cloud. Its functions do nothing: what is
// tested is the way they go.
type checkout struct {
	*site
	calls   chan call
	made    []string // the calls of the last target
	answers map[string]answer
	applied bool
}

func newCheckout(t *testing.T) *checkout {
	t.Helper()
	for _, needed := range []string{"make", "go", "git"} {
		if _, err := exec.LookPath(needed); err != nil {
			t.Skipf("NOT CHECKED: make deploy did not run: %v", err)
		}
	}
	// A folder's name may have a blank.
	x := &checkout{site: emptySite(t, filepath.Join(t.TempDir(), "a checkout")), calls: make(chan call)}
	for _, name := range []string{"Makefile", "go.mod", "go.sum"} {
		x.write(name, string(x.read("../../"+name)))
	}
	x.ok(os.CopyFS(filepath.Join(x.root, "shared"), os.DirFS("../../shared")))
	for name := range x.manifest().Resources {
		x.write("functions/"+strings.ReplaceAll(name, "-", "")+"/main.go", "package main\n\nfunc main() {}\n")
	}
	for _, own := range []string{"state.tfbackend", "backend_override.tf"} {
		x.ok(os.RemoveAll(filepath.Join(x.root, "deploy/terraform", own)))
	}
	x.git("init", "-q")
	x.git("add", "Makefile")
	x.git("-c", "user.name=test", "-c", "user.email=test@example.com", "commit", "-q", "-m", "all")
	x.git("tag", "v1")
	for _, l := range deployment.ServiceLinkedRoles() {
		x.ServiceRoles.Remove(server.Sharer, l.Role)
	}
	return x
}

func (x *checkout) git(args ...string) {
	x.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = x.root
	if out, err := cmd.CombinedOutput(); err != nil {
		x.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

// make runs a target. answers are those of calls that begin so, in the place of what the
// tool would do.
func (x *checkout) make(answers map[string]answer, args ...string) (string, error) {
	x.Helper()
	x.made, x.answers = nil, answers
	tools := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := call{answered: make(chan answer, 1)}
		if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		x.calls <- c
		_ = json.NewEncoder(w).Encode(<-c.answered)
	}))
	defer tools.Close()
	bin := x.TempDir()
	self, err := os.Executable()
	x.ok(err)
	for _, name := range []string{"terraform", "s"} {
		x.ok(os.Symlink(self, filepath.Join(bin, name)))
	}
	cmd := exec.Command("make", args...)
	cmd.Dir = x.root
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if own := strings.HasPrefix(name, "MAKE") || name == "MFLAGS" || name == "REGION" || name == "HOME_REGION" || name == "FLEETWARDEN_COMMANDS"; !own {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"), toolURL+"="+tools.URL, "S_ACCESS=an access")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	ended := make(chan error, 1)
	go func() { ended <- cmd.Run() }()
	for {
		select {
		case c := <-x.calls:
			x.made = append(x.made, c.String())
			c.answered <- x.play(c)
		case err := <-ended:
			return out.String(), err
		}
	}
}

// play does what the tool would do.
func (x *checkout) play(c call) answer {
	x.Helper()
	line := strings.Replace(c.String(), " -chdir=deploy/terraform", "", 1)
	for begins, a := range x.answers {
		if strings.HasPrefix(line, begins) {
			return a
		}
	}
	m := func() *manifest.Manifest {
		m, err := manifest.Load(filepath.Join(c.Dir, "s.yaml"), manifest.Options{Account: server.Sharer, Env: c.env})
		x.ok(err)
		return m
	}
	switch verb := strings.Join(slices.DeleteFunc(strings.Fields(line), func(a string) bool { return strings.Contains(a, "=") }), " "); {
	case strings.HasPrefix(verb, "s preview"):
		text, err := yaml.Marshal(m())
		x.ok(err)
		return answer{Out: string(text)}
	case strings.HasPrefix(verb, "s deploy"):
		x.fc3.deploy(m())
	case strings.HasPrefix(verb, "s ") && strings.Contains(verb, " remove "):
		x.fc3.remove(m(), c.Args[:1])
	case strings.HasPrefix(verb, "terraform apply"):
		for _, l := range deployment.ServiceLinkedRoles() {
			if !l.Beyond && !x.ServiceRoles.Exists(server.Sharer, l.Role) {
				x.Errorf("Terraform is applied without the role %s", l.Role)
			}
		}
		if !x.applied {
			x.applyTerraform()
		}
		x.applied = true
	case strings.HasPrefix(verb, "terraform output"):
		return answer{Out: "export REGION='cn-hangzhou'\nexport HOME_REGION='cn-hangzhou'\nexport FLEETWARDEN_DEPLOYMENT='main'\nexport FLEETWARDEN_MEMBERS=''\nexport FLEETWARDEN_COMMANDS='" + commandIDs + "'"}
	case verb == "terraform state list":
		return answer{Out: "alicloud_ecs_command.this[\"a\"]\nalicloud_oss_bucket.ledger[0]\nalicloud_oss_bucket_acl.ledger[0]\n"}
	}
	return answer{}
}

// variables are the arguments by which Terraform is given the region and the policy.
func (x *checkout) variables() string {
	return " -var region=cn-hangzhou -var home_region=cn-hangzhou -var deployment=main -var policy=" + filepath.Join(x.root, "deploy/policy.yaml") +
		" -var functions_account=" + server.Sharer
}

const tf = "terraform -chdir=deploy/terraform "

// calledAre compares the calls of the last target.
func (x *checkout) calledAre(want ...string) {
	x.Helper()
	if !slices.Equal(x.made, want) {
		x.Errorf("called:\n  %s\nwant:\n  %s", strings.Join(x.made, "\n  "), strings.Join(want, "\n  "))
	}
}

func (x *checkout) deployCalls() []string {
	return []string{
		"s preview -a an access --silent -o yaml", tf + "init -input=false", tf + "workspace select -or-create cn-hangzhou",
		tf + "apply" + x.variables(), tf + "output -raw environment", "s deploy -a an access --assume-yes",
	}
}

func TestMakeDeployRunsTheToolsInTheirOrder(t *testing.T) {
	x := newCheckout(t)
	for n := range 2 { // the second time, too
		out, err := x.make(nil, "deploy")
		if err != nil || !strings.Contains(out, "are deployed as in s.yaml; recorded as oss://") {
			t.Fatalf("deployment %d: %v\n%s", n, err, out)
		}
		x.calledAre(x.deployCalls()...)
		x.ok(x.World.Clock.Advance(t.Context(), 1e9))
	}
	all := x.kept()
	if len(all) != 2 || !strings.HasPrefix(all[0].Build, "v1") || all[0].Functions[0].Checksum != all[1].Functions[0].Checksum {
		t.Errorf("kept: %+v", all)
	}

	x.write("deploy/terraform/state.tfbackend", `bucket = "b"`)
	if out, err := x.make(nil, "remove", "REGION=cn-hangzhou"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := []string{"s preview -a an access --silent -o yaml"}
	for _, name := range slices.Sorted(maps.Keys(x.manifest().Resources)) {
		want = append(want, "s "+name+" remove -a an access --assume-yes")
	}
	x.calledAre(append(want, tf+"init -input=false -backend-config=state.tfbackend", tf+"workspace select cn-hangzhou", tf+"state list",
		tf+"state rm alicloud_oss_bucket.ledger[0]", tf+"state rm alicloud_oss_bucket_acl.ledger[0]", tf+"destroy"+x.variables())...)
	x.fails("fleetwarden-sweep in cn-hangzhou does not exist", "confirm")
}

// The exit status of "s" says nothing.
func TestMakeDeployFailsWhereAToolHasDoneNothing(t *testing.T) {
	x := newCheckout(t)
	for _, c := range []struct {
		at, prints, says string
		runs             int // so many of the tools' calls
	}{
		{"s preview", "destination: acs:mns:cn-hangzhou:1000000000000009:/queues/x\n", "account 1000000000000009", 1},
		{"s deploy", "done\n", "function fleetwarden-sweep in cn-hangzhou does not exist", 6},
	} {
		out, err := x.make(map[string]answer{c.at: {Out: c.prints}}, "deploy")
		if err == nil || !strings.Contains(out, c.says) {
			t.Errorf("%s prints %q: %v\n%s", c.at, c.prints, err, out)
		}
		x.calledAre(x.deployCalls()[:c.runs]...)
	}
	if n := len(x.kept()); n > 0 {
		t.Errorf("%d deployments were kept", n)
	}
}

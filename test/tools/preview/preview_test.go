// Package preview_test has the real Serverless Devs render s.yaml, and compares the text
// with what deploy/local/manifest reads. It is a module of its own, which "make test"
// leaves alone, since it needs npm and the npm registry; package-lock.json pins the tool
// with its digest. Nothing is deployed: the access is made up, and no component is fetched.
package preview_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.yaml.in/yaml/v3"

	"fleetwarden/deploy/local/manifest"
)

const (
	root    = "../../.."
	account = "1000000000000042"
)

// variables are what Terraform's output environment sets for "s deploy".
func variables() []string {
	return []string{
		"REGION=cn-shanghai", "HOME_REGION=cn-hangzhou", "FLEETWARDEN_DEPLOYMENT=main",
		"FLEETWARDEN_COMMANDS=fleetwarden-agent-linux=c-1,fleetwarden-agent-windows=c-2",
	}
}

func TestServerlessDevsRendersWhatTheLocalDeploymentReads(t *testing.T) {
	s := install(t)
	rendered := s.preview(t, shipped(t))
	if found := wrong(rendered); len(found) > 0 {
		t.Fatalf("the rendered text has\n%s", strings.Join(found, "\n"))
	}
	// "make deploy" checks this before it changes anything.
	if err := manifest.CheckRendered(string(rendered), account); err != nil {
		t.Error(err)
	}
	if err := manifest.CheckRendered(string(rendered), "1000000000000043"); err == nil {
		t.Error("another account was taken for the same")
	}
	ours, err := manifest.Load(filepath.Join(root, "s.yaml"), manifest.Options{Account: account, Env: lookup})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "rendered.yaml")
	if err := os.WriteFile(path, rendered, 0o600); err != nil {
		t.Fatal(err)
	}
	none := func(string) (string, bool) { return "", false } // nothing is left to be looked up
	theirs, err := manifest.Load(path, manifest.Options{Account: "another account", Env: none})
	if err != nil {
		t.Fatalf("the rendered text cannot be deployed: %v", err)
	}
	ignore := cmp.Options{cmpopts.IgnoreTypes(yaml.Node{}), cmpopts.IgnoreFields(manifest.Timer{}, "Schedule")} // each is read into a field beside it
	if diff := cmp.Diff(ours, theirs, ignore); diff != "" {
		t.Errorf("ours and the rendered manifest differ (-ours +rendered):\n%s", diff)
	}
}

// The tool ends with status 0 also where it rendered half of the text: an access that is
// itself a variable has no account.
func TestAnAccessThatIsAVariableIsRenderedWithoutAccount(t *testing.T) {
	s := install(t)
	text := bytes.Replace(shipped(t), []byte("access: default"), []byte("access: ${env('S_ACCESS', 'default')}"), 1)
	rendered := s.preview(t, text)
	if found := wrong(rendered); len(found) == 0 {
		t.Error("nothing is wrong with it: this version resolves access, and the manifest reader need not refuse it")
	}
	if err := manifest.CheckRendered(string(rendered), account); err == nil {
		t.Error("make deploy would go on with it")
	}
}

// arn is the name of a resource of the account.
var arn = regexp.MustCompile(`acs:[a-z]+:[a-z0-9-]*:[^:\s]*:`)

// wrong lists the lines of a rendered text that cannot be deployed.
func wrong(rendered []byte) (found []string) {
	if !bytes.Contains(rendered, []byte("\nresources:\n")) {
		return []string{"no resources: " + string(rendered[:min(len(rendered), 500)])}
	}
	for line := range strings.Lines(string(rendered)) {
		foreign := false
		for _, name := range arn.FindAllString(line, -1) {
			foreign = foreign || !strings.HasSuffix(name, ":"+account+":")
		}
		if foreign || strings.Contains(line, "${") || strings.Contains(line, "undefined") {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}

func shipped(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "s.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func lookup(name string) (string, bool) {
	for _, v := range variables() {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value, true
		}
	}
	return "", false
}

// tool is Serverless Devs in a home of its own.
type tool struct{ home string }

// install puts the pinned tool and a made-up access into a temporary home. Whoever asks
// for this check has npm: without it, it fails.
func install(t *testing.T) tool {
	t.Helper()
	const unchecked = "NOT CHECKED: Serverless Devs did not render s.yaml: "
	if _, err := exec.LookPath("npm"); err != nil {
		t.Fatal(unchecked + "npm is not on the PATH")
	}
	s := tool{t.TempDir()}
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(filepath.Join(s.home, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if out, err := s.run(s.home, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=30000"); err != nil {
		if strings.Contains(string(out), "EINTEGRITY") {
			t.Fatalf("the tool is not the one that was pinned: %s", out)
		}
		t.Fatalf("%snpm could not install it: %v\n%s", unchecked, err, out)
	}
	if out, err := s.s(s.home, "config", "add", "-a", "default", "-f",
		"--AccountID", account, "--AccessKeyID", "made-up", "--AccessKeySecret", "made-up"); err != nil {
		t.Fatalf("adding an access: %v\n%s", err, out)
	}
	return s
}

// preview is a manifest as the tool renders it, beside what s.yaml refers to.
func (s tool) preview(t *testing.T, text []byte) []byte {
	t.Helper()
	dir := t.TempDir()
	err := os.CopyFS(filepath.Join(dir, "deploy", "eventrules"), os.DirFS(filepath.Join(root, "deploy", "eventrules")))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "s.yaml"), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.s(dir, "preview", "--silent", "-o", "yaml")
	if err != nil {
		t.Fatalf("rendering: %v\n%s", err, out)
	}
	return out
}

func (s tool) s(dir string, args ...string) ([]byte, error) {
	return s.run(dir, filepath.Join(s.home, "node_modules", ".bin", "s"), args...)
}

// run starts a program with nothing of the caller's environment but where programs are.
func (s tool) run(dir, name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(variables(), "HOME="+s.home, "PATH="+os.Getenv("PATH"), "npm_config_cache="+filepath.Join(s.home, "cache"))
	for _, v := range []string{"HTTPS_PROXY", "https_proxy", "NODE_EXTRA_CA_CERTS", "npm_config_registry"} {
		if value, ok := os.LookupEnv(v); ok {
			cmd.Env = append(cmd.Env, v+"="+value)
		}
	}
	out, err := cmd.Output()
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		out = append(out, failed.Stderr...)
	}
	return out, err
}

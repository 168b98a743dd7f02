package command

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/policy"
)

func TestTheFileIsComparedWithWhatTheFunctionsCarry(t *testing.T) {
	file := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, []byte("version: 1\nlimits: {maxChanges: 7}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	is, err := readPolicy(file)
	if err != nil {
		t.Fatal(err)
	}
	same := Carried{Function: "attach-role", Region: "cn-hangzhou", Digest: is.Digest, From: "record"}
	old := Carried{Function: "sweep", Region: "cn-hangzhou", Digest: policy.Default().Digest, From: "code", Policy: policy.Default()}
	older := old
	older.Function, older.Policy = "push-agent", nil
	unread := Carried{Function: "sweep", Region: "cn-hangzhou", Unread: "denied"}
	inv := &invocation.Invocation{Home: fleet.Scope{Account: "1000000000000001", Region: "cn-hangzhou"}}
	inv.Options.Policy = is
	for name, c := range map[string]struct {
		all  []Carried
		err  error
		out  []string // lines
		said string
	}{
		"the same":       {all: []Carried{same, same}, out: []string{`"function":"attach-role","region":"cn-hangzhou","digest":"` + is.Digest + `","from":"record","same":true}`, `"same":true`}},
		"another":        {all: []Carried{same, old, older}, out: []string{`"same":true`, `"same":false`, `"same":false`, `{"type":"changed","path":"limits.maxChanges","before":"500","after":"7","deployed":"` + old.Digest + `"}`}, said: "2 functions carry another policy than " + file + "; to deploy it:\n    POLICY=" + file + " make deploy REGION=cn-hangzhou HOME_REGION=cn-hangzhou"},
		"not read":       {all: []Carried{same, unread}, out: []string{`"same":true`, `"same":false,"unread":"denied"`}, said: "of 1 function the policy could not be read"},
		"both":           {all: []Carried{older, unread}, out: []string{`"same":false`, `"unread"`}, said: "1 function carries another policy"},
		"no functions":   {said: "no deployed function was found"},
		"nothing at all": {err: errors.New("no network"), said: "no network"},
	} {
		var out bytes.Buffer
		call := &Call{Output: JSON{&out}, PolicyFile: file, Open: func(context.Context) (*invocation.Invocation, error) { return inv, nil }}
		err := call.diffDeployed(t.Context(), func(_ context.Context, _ *invocation.Invocation, want string) ([]Carried, error) {
			if want != is.Digest {
				t.Errorf("wants %s", want)
			}
			return c.all, c.err
		})
		if (err == nil) != (c.said == "") || err != nil && !strings.Contains(err.Error(), c.said) || errors.As(err, new(BadUsage)) {
			t.Errorf("%s: %v", name, err)
		}
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		for i, want := range c.out {
			if len(lines) != len(c.out) || !strings.Contains(lines[i], want) {
				t.Errorf("%s: %s", name, out.String())
				break
			}
		}
	}
	if err := (&Call{}).diffDeployed(t.Context(), nil); !errors.As(err, new(BadUsage)) {
		t.Errorf("without a file: %v", err)
	}
	broken := &Call{PolicyFile: filepath.Join(t.TempDir(), "none.yaml"), Open: func(context.Context) (*invocation.Invocation, error) {
		t.Error("it connects")
		return nil, nil
	}}
	if err := broken.diffDeployed(t.Context(), nil); err == nil {
		t.Error("no error without the file")
	}
}

package cli

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/aliyun/fc"
	"fleetwarden/shared/deployment"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/policy"
)

// there are the functions of a cloud, by region and name, and the calls that read them.
type there struct {
	code  map[string][]byte // by "region function"
	fails map[string]error  // by "region function" or "list region"
	calls *[]string
	at    fleet.Region
}

func (h there) Names(context.Context, string) (out []string, err error) {
	for name := range h.code {
		if region, function, _ := strings.Cut(name, " "); region == string(h.at) {
			out = append(out, fleet.CloudName(function))
		}
	}
	return out, h.fails["list "+string(h.at)]
}

func (h there) find(name string) ([]byte, error) {
	function, _ := fleet.FunctionOf(name)
	code, ok := h.code[string(h.at)+" "+function]
	if !ok {
		return nil, errors.New("there is none")
	}
	return code, h.fails[string(h.at)+" "+function]
}

func (h there) Get(_ context.Context, name string) (*fc.Function, error) {
	code, err := h.find(name)
	return &fc.Function{Name: name, CodeChecksum: checksum(code)}, err
}

func (h there) Code(_ context.Context, name string) ([]byte, error) {
	*h.calls = append(*h.calls, string(h.at)+" "+name)
	code, err := h.find(name)
	if err == nil {
		err = h.fails["code"]
	}
	return code, err
}

func checksum(code []byte) string {
	return fmt.Sprint("sum-", len(code), bytes.Count(code, []byte("a")))
}

// packed is a package with a policy.
func packed(t *testing.T, file string) (code []byte, digest string) {
	t.Helper()
	p, err := policy.Load("policy.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	w, err := z.Create("policy.json")
	if err == nil {
		_, err = w.Write(p.JSON())
	}
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), p.Digest
}

// kept is a ledger with records, the newest last.
func kept(t *testing.T, records ...deployment.Record) ledger.Store {
	t.Helper()
	store := ledger.NewFolder(t.TempDir())
	for _, r := range records {
		r.Home = "cn-hangzhou"
		text, err := json.Marshal(r)
		if err == nil {
			err = store.Put(t.Context(), deployment.Object(r, text), text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return store
}

func TestWhatTheFunctionsCarryIsReadWithFewReads(t *testing.T) {
	file, want := packed(t, "version: 1\n")
	older, old := packed(t, "version: 1\nlimits: {maxChanges: 5}\n")
	record := deployment.Record{V: 1, At: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), Region: "cn-hangzhou", Policy: want,
		Functions: []deployment.Function{{Name: "fleetwarden-attach-role", Region: "cn-hangzhou", Checksum: checksum(file)}, {Name: "fleetwarden-push-agent", Region: "cn-hangzhou", Checksum: checksum(file)}}}
	outdated, newer := record, record
	outdated.At, outdated.Policy = record.At.AddDate(0, 0, -1), "another"
	newer.V, newer.Policy = 2, "newer"
	previous := record
	previous.Policy, previous.Functions = old, []deployment.Function{{Name: "fleetwarden-attach-role", Region: "cn-hangzhou", Checksum: checksum(older)}, {Name: "fleetwarden-push-agent", Region: "cn-hangzhou", Checksum: checksum(older)}}
	both := map[string][]byte{"cn-hangzhou attach-role": file, "cn-hangzhou push-agent": file}
	for name, c := range map[string]struct {
		records []deployment.Record
		code    map[string][]byte
		fails   map[string]error
		want    []string // function, region, whether it is the file, how that is known
		calls   int
	}{
		"all by the record":   {[]deployment.Record{outdated, record}, both, nil, []string{"attach-role cn-hangzhou true record", "push-agent cn-hangzhou true record"}, 0},
		"without a record":    {nil, both, nil, []string{"attach-role cn-hangzhou true code", "push-agent cn-hangzhou true code"}, 1},
		"a newer record":      {[]deployment.Record{newer}, both, nil, []string{"attach-role cn-hangzhou true code", "push-agent cn-hangzhou true code"}, 1},
		"one has other code":  {[]deployment.Record{record}, map[string][]byte{"cn-hangzhou attach-role": older, "cn-hangzhou push-agent": file}, nil, []string{"attach-role cn-hangzhou false code maxChanges", "push-agent cn-hangzhou true record"}, 1},
		"both are older":      {[]deployment.Record{previous}, map[string][]byte{"cn-hangzhou attach-role": older, "cn-hangzhou push-agent": older}, nil, []string{"attach-role cn-hangzhou false record maxChanges", "push-agent cn-hangzhou false record"}, 1},
		"older and not read":  {[]deployment.Record{previous}, map[string][]byte{"cn-hangzhou attach-role": older, "cn-hangzhou push-agent": older}, map[string]error{"code": errors.New("denied")}, []string{"attach-role cn-hangzhou false record; what differs could not be read: denied", "push-agent cn-hangzhou false record"}, 1},
		"one is gone":         {[]deployment.Record{record}, map[string][]byte{"cn-hangzhou push-agent": file}, nil, []string{"attach-role cn-hangzhou unread there is none", "push-agent cn-hangzhou true record"}, 0},
		"code that is none":   {nil, map[string][]byte{"cn-hangzhou attach-role": []byte("x")}, nil, []string{"attach-role cn-hangzhou unread its code is no package: zip: not a valid zip file"}, 1},
		"the record is wrong": {[]deployment.Record{func() deployment.Record { r := record; r.Policy = "wrong"; return r }()}, map[string][]byte{"cn-hangzhou attach-role": file}, nil, []string{"attach-role cn-hangzhou true record; its code has another policy than the record of its deployment says", "push-agent cn-hangzhou unread there is none"}, 1},
		"may not list":        {nil, both, map[string]error{"list cn-hangzhou": errors.New("denied")}, []string{"(all) cn-hangzhou unread listing them: denied"}, 0},
		"nothing":             {nil, nil, nil, nil, 0},
	} {
		var calls []string
		d := deployed{want: want, functions: func(r fleet.Region) functions { return there{c.code, c.fails, &calls, r} }, code: map[string]*policy.Policy{}}
		if err := d.read(t.Context(), kept(t, c.records...)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		all, err := d.all(t.Context(), []fleet.Region{"cn-hangzhou"})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var got []string
		for _, x := range all {
			said := fmt.Sprint(x.Function, " ", x.Region, " ", x.Digest == want, " ", x.From)
			if x.Unread != "" {
				said = fmt.Sprint(x.Function, " ", x.Region, " ", x.Digest == want, " ", x.Unread)
			}
			if x.Digest == "" {
				said = fmt.Sprint(x.Function, " ", x.Region, " unread ", x.Unread)
			}
			if x.Policy != nil && x.Policy.Limits.MaxChanges == 5 {
				said += " maxChanges"
			}
			got = append(got, said)
		}
		if diff := cmp.Diff(c.want, got); diff != "" || len(calls) != c.calls {
			t.Errorf("%s: %d reads of code, want %d: %s", name, len(calls), c.calls, diff)
		}
	}
}

func TestARecordThatCannotBeReadIsAnError(t *testing.T) {
	store := ledger.NewFolder(t.TempDir())
	if err := store.Put(t.Context(), deployment.Folder+"20261122T120000Z-cn-hangzhou-0000000a.json", []byte("{")); err != nil {
		t.Fatal(err)
	}
	if err := new(deployed).read(t.Context(), store); err == nil {
		t.Error("no error")
	}
}

// A package of any content is a policy that loads, or an error.
func FuzzPolicyIn(f *testing.F) {
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Add([]byte("x"))
	f.Fuzz(func(t *testing.T, code []byte) {
		if p, err := policyIn(code); (p == nil) == (err == nil) {
			t.Fatalf("%v, %v", p, err)
		}
	})
}

package command

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"math"
	"strings"
	"testing"

	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/pause"
	"fleetwarden/shared/policy"
)

// typedOrder types a command line of a caller whose policy file is broken, or of whose functions
// something is not known. It returns how many orders the ledger has then.
func typedOrder(t *testing.T, line string, broken, owners error) (orders int, err error) {
	t.Helper()
	place, err := invocation.ParseLedger("file://" + t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	srv := aliyuntest.Serve(t, server.Options{})
	c := &Call{Output: JSON{&bytes.Buffer{}}, Owners: func(context.Context) error { return owners }}
	var store ledger.Store
	c.Open = func(context.Context) (*invocation.Invocation, error) {
		if broken != nil && !c.Lenient {
			return nil, BadSetting{broken}
		}
		c.NoPolicy = broken
		inv := (&invocation.Process{Ledger: place}).Open(fleet.Scope{Account: server.Sharer, Region: server.Home},
			aliyuntest.Cloud(t, srv.URL(), aliyuntest.Admin()).NewSession(math.MaxInt32), policy.Default(), ledger.Pass{Function: fleet.FunctionBackfill})
		inv.Caller, store = "acs:ram::1000000000000001:user/ops", inv.Store
		return inv, nil
	}
	words := strings.Fields(line)
	m := map[string]Command{"pause": Pause(), "resume": Resume()}[words[0]]
	set := flag.NewFlagSet(m.Name, flag.ContinueOnError)
	run := m.Bind(c, set)
	if err := set.Parse(words[1:]); err != nil {
		t.Fatal(err)
	}
	err = run(t.Context(), nil)
	if store != nil {
		names, _, listing := store.List(t.Context(), pause.Folder, "")
		if listing != nil {
			t.Fatal(listing)
		}
		orders = len(names)
	}
	return orders, err
}

// A switch that is there to stop harm works with a broken policy file, and with functions that
// cannot be asked; what it could not make sure of is an error. It gives no order that is known to
// stop nothing, and no power back on such grounds.
func TestAPauseDependsOnNothingThatIsNotNeededForIt(t *testing.T) {
	const stop = "pause --for 1h --reason x"
	broken, silent := errors.New("policy.yaml: not YAML"), errors.New("fc:GetFunction: unavailable")
	elsewhere := Elsewhere{errors.New("the functions have their ledger elsewhere")}
	for name, c := range map[string]struct {
		line           string
		broken, owners error
		orders         int
		err            error
	}{
		"all is well":                               {stop, nil, nil, 1, nil},
		"a broken policy file":                      {stop, broken, nil, 1, nil},
		"a broken policy file, and a part":          {stop + " --account 1000000000000009", broken, nil, 1, nil},
		"a broken policy file, and nothing ordered": {"pause --list", broken, nil, 0, nil},
		"a broken policy file, and power back":      {"resume --reason x", broken, nil, 0, broken},
		"functions that cannot be asked":            {stop, nil, silent, 1, silent},
		"functions that look elsewhere":             {stop, nil, elsewhere, 0, elsewhere},
		"a dry run of which nothing is known":       {stop + " --dry-run", nil, silent, 0, silent},
	} {
		if orders, err := typedOrder(t, c.line, c.broken, c.owners); orders != c.orders || !errors.Is(err, c.err) {
			t.Errorf("%s: %d orders, %v", name, orders, err)
		}
	}
}

package pause

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
)

var noon = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

const (
	home   = fleet.AccountID("1000000000000001")
	member = fleet.AccountID("1000000000000002")
)

// give gives an order that long before noon.
func give(t *testing.T, store ledger.Store, ago, length time.Duration, control string, account fleet.AccountID) fleet.Order {
	t.Helper()
	o := fleet.Order{Control: control, Account: account, At: noon.Add(-ago), By: "acs:ram::1:user/ops", Reason: "a change window"}
	if length > 0 {
		o.Until = o.At.Add(length)
	}
	o.Resume = length == 0
	o, err := Give(t.Context(), store, o)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func read(t *testing.T, store ledger.Store) State {
	t.Helper()
	s, err := Read(t.Context(), store, noon)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAPauseStopsWhatItCoversUntilItsEnd(t *testing.T) {
	for name, c := range map[string]struct {
		orders func(store ledger.Store)
		until  time.Duration // after noon; 0: not paused
	}{
		"nothing":            {func(ledger.Store) {}, 0},
		"everything":         {func(s ledger.Store) { give(t, s, time.Hour, 2*time.Hour, "", "") }, time.Hour},
		"this control":       {func(s ledger.Store) { give(t, s, time.Hour, 2*time.Hour, "agent", "") }, time.Hour},
		"another control":    {func(s ledger.Store) { give(t, s, time.Hour, 2*time.Hour, "instance-role", "") }, 0},
		"this account":       {func(s ledger.Store) { give(t, s, time.Hour, 2*time.Hour, "", home) }, time.Hour},
		"another account":    {func(s ledger.Store) { give(t, s, time.Hour, 2*time.Hour, "agent", member) }, 0},
		"one that has ended": {func(s ledger.Store) { give(t, s, 2*time.Hour, time.Hour, "", "") }, 0},
		"one that ends now":  {func(s ledger.Store) { give(t, s, time.Hour, time.Hour, "", "") }, 0},
		"two, the later longer": {func(s ledger.Store) {
			give(t, s, 2*time.Hour, 3*time.Hour, "", "")
			give(t, s, time.Hour, 4*time.Hour, "", "")
		}, 3 * time.Hour},
		"two, the later shorter": {func(s ledger.Store) {
			give(t, s, 2*time.Hour, 5*time.Hour, "", "")
			give(t, s, time.Hour, 30*time.Minute, "agent", "")
		}, 3 * time.Hour},
		"resumed": {func(s ledger.Store) {
			give(t, s, 2*time.Hour, 5*time.Hour, "agent", "")
			give(t, s, time.Hour, 0, "", "")
		}, 0},
		"resumed for another control": {func(s ledger.Store) {
			give(t, s, 2*time.Hour, 5*time.Hour, "", "")
			give(t, s, time.Hour, 0, "instance-role", "")
		}, 3 * time.Hour},
		"resumed for this control alone": {func(s ledger.Store) {
			give(t, s, 2*time.Hour, 5*time.Hour, "", "")
			give(t, s, time.Hour, 0, "agent", "")
		}, 0},
		"paused after it was resumed": {func(s ledger.Store) {
			give(t, s, 3*time.Hour, 9*time.Hour, "", "")
			give(t, s, 2*time.Hour, 0, "", "")
			give(t, s, time.Hour, 2*time.Hour, "", "")
		}, time.Hour},
	} {
		store := ledger.NewFolder(t.TempDir())
		c.orders(store)
		o, ok := read(t, store).On("agent", home, noon)
		if got := o.Until.Sub(noon); ok != (c.until > 0) || ok && got != c.until {
			t.Errorf("%s: paused %t for %s, want %s", name, ok, got, c.until)
		}
	}
}

// Whatever was ordered, a control is paused in an account if a pause of it lasts that no later
// order resumed.
func TestWhatIsPausedIsWhatTheOrdersSay(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	for range 500 {
		var s State
		for i := range random.IntN(7) { // newest first
			o := fleet.Order{Control: pick("", "agent", "instance-role"), Account: fleet.AccountID(pick("", string(home), string(member))), At: noon.Add(-time.Duration(i+1) * time.Hour)}
			if o.Resume = random.IntN(3) == 0; !o.Resume {
				o.Until = o.At.Add(time.Duration(1+random.IntN(9)) * time.Hour)
			}
			s.orders = append(s.orders, o)
		}
		anything := false
		for _, control := range []string{"agent", "instance-role", "share-role"} {
			for _, account := range []fleet.AccountID{home, member, "1000000000000003"} {
				want := false
				for i, o := range s.orders {
					ended := slices.ContainsFunc(s.orders[:i], func(later fleet.Order) bool { return later.Resume && later.Covers(control, account) })
					want = want || !o.Resume && o.Covers(control, account) && o.Until.After(noon) && !ended
				}
				if _, got := s.On(control, account, noon); got != want {
					t.Fatalf("%s in %s: paused %t, want %t after %+v", control, account, got, want, s.orders)
				}
				if ends := s.Ends(fleet.Order{Resume: true, Control: control, Account: account, At: noon}); ends != want {
					t.Fatalf("an order to resume %s in %s would end something: %t, want %t of %+v", control, account, ends, want, s.orders)
				}
				anything = anything || want
			}
		}
		if ends := s.Ends(fleet.Order{Resume: true, At: noon}); ends != anything {
			t.Fatalf("an order to resume everything would end something: %t, want %t of %+v", ends, anything, s.orders)
		}
	}
}

func TestTheNameOfAnOrderSaysAllThatDecides(t *testing.T) {
	var before string
	for _, o := range []fleet.Order{
		{At: noon, Until: noon.Add(time.Hour)},
		{At: noon.Add(-time.Millisecond), Until: noon.Add(MaxFor).Add(-time.Second), Control: "agent", Account: home},
		{At: noon.Add(-time.Hour), Resume: true, Account: member},
		{At: noon.Add(-1000 * time.Hour), Resume: true, Control: "share-role"},
	} {
		o.Object = nameOf(o, "abc")
		got, err := parse(o.Object)
		if diff := cmp.Diff(o, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", o.Object, err, diff)
		}
		if o.Object < before {
			t.Errorf("%s is listed before the newer %s", o.Object, before)
		}
		before = o.Object
	}
}

// Nothing may be changed while there is an order that cannot be read: it may be a pause.
func TestAnOrderThatCannotBeReadStopsEverything(t *testing.T) {
	valid := nameOf(fleet.Order{At: noon.Add(-time.Hour), Until: noon.Add(time.Hour)}, "abc")
	for name, object := range map[string]string{
		"cut":                valid[:len(valid)-9],
		"of a newer program": strings.TrimSuffix(valid, ".json") + ".half.json",
		"of another kind":    strings.Replace(valid, ".pause.", ".slow.", 1),
		"without an end":     nameOf(fleet.Order{At: noon.Add(-time.Hour)}, "abc"),
		"too long":           nameOf(fleet.Order{At: noon.Add(-time.Hour), Until: noon.Add(MaxFor)}, "abc"),
		"backwards":          nameOf(fleet.Order{At: noon.Add(-time.Hour), Until: noon.Add(-2 * time.Hour)}, "abc"),
		"from the future":    nameOf(fleet.Order{At: noon.Add(time.Hour), Until: noon.Add(2 * time.Hour)}, "abc"),
		"an end to resume":   nameOf(fleet.Order{At: noon.Add(-time.Hour), Until: noon.Add(time.Hour), Resume: true}, "abc"),
		"no order at all":    Folder + "README.txt",
		"a guess":            Folder + "pause.json",
		"no account":         nameOf(fleet.Order{At: noon.Add(-time.Hour), Until: noon.Add(time.Hour), Account: "me"}, "abc"),
	} {
		store := ledger.NewFolder(t.TempDir())
		if err := store.Put(t.Context(), object, []byte("{}")); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(t.Context(), store, noon); !errors.As(err, new(*fleet.BadInput)) || !strings.Contains(err.Error(), object) {
			t.Errorf("%s: %v", name, err)
		}
	}
	store := ledger.NewFolder(t.TempDir())
	for _, object := range []string{nameOf(fleet.Order{At: noon.Add(-MaxFor - time.Hour), Until: noon.Add(-time.Hour)}, "old")} {
		if err := store.Put(t.Context(), object, nil); err != nil {
			t.Fatal(err)
		}
	}
	if s := read(t, store); len(s.orders) != 0 {
		t.Errorf("what is no order, or has ended, counts: %+v", s)
	}
}

// The name decides, so that an object of other content stops what its name says, and its text is
// not believed.
func TestAnOrderOfOtherContentStopsAndNamesNoCaller(t *testing.T) {
	store := ledger.NewFolder(t.TempDir())
	o := fleet.Order{At: noon.Add(-time.Hour), Until: noon.Add(time.Hour)}
	o.Object = nameOf(o, "abc")
	for i, text := range []string{`{"v":1,"object":"` + o.Object + `","control":"agent","by":"acs:ram::1:user/innocent","reason":"x"}`, `{`, ``, `{"v":2}`} {
		store = ledger.NewFolder(t.TempDir())
		if err := store.Put(t.Context(), o.Object, []byte(text)); err != nil {
			t.Fatal(err)
		}
		got, ok := read(t, store).On("agent", home, noon)
		if got = Fill(t.Context(), store, got); !ok || strings.Contains(got.Sentence(), "innocent") || !strings.Contains(got.Sentence(), "could not be read") {
			t.Errorf("%d: %t, %s", i, ok, got.Sentence())
		}
	}
	whole := give(t, store, time.Minute, time.Hour, "agent", "")
	if got := Fill(t.Context(), store, whole); got != whole {
		t.Errorf("got %+v, want %+v", got, whole)
	}
}

func TestAnOrderNeedsAReasonAndAnEnd(t *testing.T) {
	store := ledger.NewFolder(t.TempDir())
	for name, o := range map[string]fleet.Order{
		"two lines":  {At: noon, Until: noon.Add(time.Hour), By: "arn", Reason: "x\ny"},
		"a colour":   {At: noon, Until: noon.Add(time.Hour), By: "arn", Reason: "\x1b[31mx"},
		"not UTF-8":  {At: noon, Until: noon.Add(time.Hour), By: "arn", Reason: "\xc4\xe3"},
		"no reason":  {At: noon, Until: noon.Add(time.Hour), By: "arn"},
		"long":       {At: noon, Until: noon.Add(time.Hour), By: "arn", Reason: strings.Repeat("x", MaxReason+1)},
		"no end":     {At: noon, By: "arn", Reason: "x"},
		"too long":   {At: noon, Until: noon.Add(MaxFor + time.Hour), By: "arn", Reason: "x"},
		"no account": {At: noon, Until: noon.Add(time.Hour), By: "arn", Reason: "x", Account: "a.b"},
	} {
		if _, err := Give(t.Context(), store, o); err == nil {
			t.Errorf("%s: ordered", name)
		}
	}
	if s := read(t, store); len(s.orders) != 0 {
		t.Errorf("%+v", s)
	}
}

// The cloud's answers have whole seconds, and its clocks differ: an order is later than all before
// it, and of two at one time the pause counts.
func TestAnOrderFollowsThoseBefore(t *testing.T) {
	store := ledger.NewFolder(t.TempDir())
	order := func(resume bool) {
		o := fleet.Order{Resume: resume, At: read(t, store).Next(noon), By: "arn", Reason: "x"}
		if !resume {
			o.Until = o.At.Add(time.Hour)
		}
		if _, err := Give(t.Context(), store, o); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 6 {
		order(n%2 == 1)
		if _, paused := read(t, store).On("agent", home, noon); paused != (n%2 == 0) {
			t.Errorf("after %d orders: paused %t", n+1, paused)
		}
	}
	same := State{[]fleet.Order{{Resume: true, At: noon}, {At: noon, Until: noon.Add(time.Hour)}}}
	if _, paused := same.On("agent", home, noon); !paused || len(same.Since(noon.Add(time.Second), noon)) != 2 {
		t.Error("of two at one time the pause does not count")
	}
}

// A partly resumed pause is listed with what was resumed.
func TestWhatLastsIsListedWithWhatWasResumed(t *testing.T) {
	store := ledger.NewFolder(t.TempDir())
	give(t, store, 50*time.Hour, time.Hour, "", "")
	give(t, store, 49*time.Hour, 0, "", "")
	all := give(t, store, 3*time.Hour, 9*time.Hour, "", "")
	part := give(t, store, 2*time.Hour, 0, "agent", "")
	var got []string
	for _, o := range read(t, store).Since(noon, noon) {
		got = append(got, o.Object)
	}
	if !slices.Equal(got, []string{part.Object, all.Object}) {
		t.Errorf("listed: %q", got)
	}
}

// counted counts the calls of a store, and fails while err is set.
type counted struct {
	ledger.Store
	lists, gets int
	err, getErr error
}

func (c *counted) List(ctx context.Context, prefix, after string) ([]string, bool, error) {
	c.lists++
	if c.err != nil {
		return nil, false, c.err
	}
	return c.Store.List(ctx, prefix, after)
}

func (c *counted) Get(ctx context.Context, name string) ([]byte, error) {
	c.gets++
	if c.getErr != nil {
		return nil, c.getErr
	}
	return c.Store.Get(ctx, name)
}

func TestAProcessListsTheOrdersOnceIn30Seconds(t *testing.T) {
	store := &counted{Store: ledger.NewFolder(t.TempDir())}
	r := Reader{store, &Watch{}}
	ask := func(after time.Duration) (*fleet.Order, bool, error) {
		return r.Paused(t.Context(), "agent", home, noon.Add(after))
	}
	for after := time.Duration(0); after < freshFor; after += time.Second {
		if o, _, err := ask(after); o != nil || err != nil {
			t.Fatal(o, err)
		}
	}
	if store.lists != 1 || store.gets != 0 {
		t.Errorf("%d lists and %d reads", store.lists, store.gets)
	}
	ordered := give(t, store, 0, time.Hour, "", "")
	store.getErr = errors.New("throttled")
	if o, _, err := ask(freshFor); o == nil || o.By == ordered.By || err != nil {
		t.Errorf("a pause whose reason cannot be read: %+v, %v", o, err)
	}
	store.getErr = nil
	if o, fresh, err := ask(freshFor); o == nil || *o != ordered || !fresh || err != nil {
		t.Errorf("got %+v, %t, %v", o, fresh, err)
	}
	if o, fresh, err := ask(freshFor + time.Second); o == nil || fresh || err != nil {
		t.Errorf("got %+v, %t, %v", o, fresh, err)
	}
	if store.lists != 2 || store.gets != 2 {
		t.Errorf("%d lists and %d reads", store.lists, store.gets)
	}
	store.err = errors.New("no")
	for range 2 {
		if o, _, err := ask(2 * freshFor); o != nil || err == nil {
			t.Errorf("what could not be read is not paused: %+v, %v", o, err)
		}
	}
	store.err = nil
	if o, _, err := ask(2 * freshFor); o == nil || err != nil || store.lists != 5 {
		t.Errorf("got %+v, %v after %d lists", o, err, store.lists)
	}
	if _, _, err := ask(-time.Minute); err != nil || store.lists != 6 {
		t.Errorf("a clock that went back: %v, %d lists", err, store.lists)
	}
}

func FuzzOrder(f *testing.F) {
	o := fleet.Order{At: noon, Until: noon.Add(time.Hour), Control: "agent", Account: home}
	f.Add(nameOf(o, "abc"), `{"v":1,"at":"2026-01-05T12:00:00Z","by":"arn","reason":"x"}`)
	f.Add(Folder+"1.2.pause.all.all.x.json", `{}`)
	f.Fuzz(func(t *testing.T, name, text string) {
		o, err := parse(name)
		if err != nil {
			return
		}
		if parts := strings.Split(name, "."); nameOf(o, parts[5]) != name || o.Resume != o.Until.IsZero() || o.Until.Sub(o.At) > MaxFor {
			t.Errorf("%q is read as %+v", name, o)
		}
		b, err := decode(o, []byte(text))
		if b.By, b.Reason = "", ""; err == nil && b.Order != o {
			t.Errorf("%q is believed to be %+v", text, b)
		}
	})
}

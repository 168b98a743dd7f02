package agent_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fleetwarden/shared/acts/agent"
	"fleetwarden/shared/fleet"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// failure is an error of the cloud.
type failure struct {
	class fleet.Class
	code  string
}

func (f failure) Error() string      { return f.class.String() + " " + f.code }
func (f failure) Class() fleet.Class { return f.class }
func (f failure) ErrorCode() string  { return f.code }
func (f failure) OfInstance() bool   { return f.code == "InvalidInstance.NotFound" }

// assistant takes invocations; unfit instances fail the whole call, as the API does.
type assistant struct {
	unfit map[string]bool
	fail  error
	calls []string // "command code ids"
	ids   []string // that were reached
}

func (a *assistant) Invoke(_ context.Context, _ fleet.Region, command string, p map[string]fleet.Secret, ids []string) (string, error) {
	a.calls = append(a.calls, fmt.Sprintf("%s %s %d", command, string(p["code"]), len(ids)))
	if a.fail != nil {
		return "", a.fail
	}
	for _, id := range ids {
		if a.unfit[id] {
			return "", failure{fleet.NotFound, "InvalidInstance.NotFound"}
		}
	}
	a.ids = append(a.ids, ids...)
	return fmt.Sprintf("t-%d", len(a.calls)), nil
}

// center hands out codes.
type center struct {
	codes  []fleet.InstallCode
	made   int
	listed int
	fail   error
	hide   bool // a code that was made is not listed
}

func (c *center) InstallCodes(context.Context, fleet.Region) ([]fleet.InstallCode, error) {
	c.listed++
	return c.codes, c.fail
}

func (c *center) AddInstallCode(_ context.Context, _ fleet.Region, os string, expires time.Time) error {
	c.made++
	if !c.hide {
		c.codes = append(c.codes, fleet.InstallCode{Code: "made", OS: os, Vendor: "ALIYUN", Expires: expires})
	}
	return nil
}

func (c *center) Refresh(context.Context, fleet.Region) error { return c.fail }

func code(os string, left time.Duration) fleet.InstallCode {
	return fleet.InstallCode{Code: fleet.Secret(os + "code"), OS: os, Vendor: "ALIYUN", Expires: noon.Add(left)}
}

var commands = agent.Commands{
	fleet.CommandAgentLinux: "c-linux", fleet.CommandAgentWindows: "c-windows", fleet.CommandTrustClient: "c-trust",
}

func pushes(os string, ids ...string) []fleet.Change {
	var out []fleet.Change
	for _, id := range ids {
		out = append(out, fleet.Change{Kind: fleet.PushAgent, Ref: fleet.Ref{Kind: fleet.KindInstance, ID: id}, Want: os})
	}
	return out
}

func push(a *assistant, c *center, cs []fleet.Change) []fleet.Result {
	return agent.Push(a, c, commands, func() time.Time { return noon })(context.Background(), fleet.Scope{}, cs)
}

func states(rs []fleet.Result) []fleet.State {
	var out []fleet.State
	for _, r := range rs {
		out = append(out, r.State)
	}
	return out
}

func TestAHundredInstancesOfASystemAreOneCall(t *testing.T) {
	var cs []fleet.Change
	for n := range 100 {
		cs = append(cs, pushes("linux", fmt.Sprintf("i-%d", n))...)
	}
	a, c := &assistant{}, &center{codes: []fleet.InstallCode{code("linux", time.Hour)}}
	for _, r := range push(a, c, cs) {
		if r.State != fleet.Started || r.After != "invocation t-1" {
			t.Fatalf("%+v", r)
		}
	}
	if !slices.Equal(a.calls, []string{"c-linux linuxcode 100"}) || c.listed != 1 || c.made != 0 {
		t.Errorf("calls %q, codes listed %d times and made %d times", a.calls, c.listed, c.made)
	}
}

func TestEachSystemHasItsCommandAndItsCode(t *testing.T) {
	a, c := &assistant{}, &center{codes: []fleet.InstallCode{code("windows", time.Hour), code("linux", time.Hour)}}
	push(a, c, slices.Concat(pushes("windows", "i-1"), pushes("linux", "i-2", "i-3")))
	if want := []string{"c-linux linuxcode 2", "c-windows windowscode 1"}; !slices.Equal(a.calls, want) {
		t.Errorf("calls %q, want %q", a.calls, want)
	}
	if c.listed != 1 {
		t.Errorf("codes listed %d times for one batch", c.listed)
	}
}

func TestACodeThatIsNotFitIsNotUsed(t *testing.T) {
	other, image, foreign := code("windows", time.Hour), code("linux", time.Hour), code("linux", time.Hour)
	image.OnlyImage, foreign.Vendor = true, "OTHER"
	for name, codes := range map[string][]fleet.InstallCode{
		"none": nil, "of another system": {other}, "for images": {image}, "of another vendor": {foreign},
		"about to expire": {code("linux", 29*time.Minute)}, "expired": {code("linux", -time.Hour)},
		"that could break out of a command": {{Code: "x'; rm -rf /", OS: "linux", Vendor: "ALIYUN", Expires: noon.Add(time.Hour)}},
	} {
		t.Run(name, func(t *testing.T) {
			a, c := &assistant{}, &center{codes: codes}
			push(a, c, pushes("linux", "i-1"))
			if !slices.Equal(a.calls, []string{"c-linux made 1"}) || c.made != 1 || c.listed != 2 {
				t.Errorf("calls %q, codes listed %d times and made %d times", a.calls, c.listed, c.made)
			}
		})
	}
}

func TestWithoutACodeNothingIsPushed(t *testing.T) {
	for name, tc := range map[string]struct {
		c    *center
		want fleet.State
	}{
		"none, also after one was made": {&center{hide: true}, fleet.Failed},
		"denied":                        {&center{fail: failure{fleet.Denied, "NoPermission"}}, fleet.Failed},
		"throttled":                     {&center{fail: failure{fleet.Throttled, "Throttling"}}, fleet.Later},
	} {
		t.Run(name, func(t *testing.T) {
			a := &assistant{}
			if got := states(push(a, tc.c, pushes("linux", "i-1"))); !slices.Equal(got, []fleet.State{tc.want}) || len(a.calls) != 0 {
				t.Errorf("%v after calls %q", got, a.calls)
			}
		})
	}
}

func TestOneUnfitInstanceDoesNotKeepTheOthersFromThePush(t *testing.T) {
	a, c := &assistant{unfit: map[string]bool{"i-3": true}}, &center{codes: []fleet.InstallCode{code("linux", time.Hour)}}
	got := states(push(a, c, pushes("linux", "i-1", "i-2", "i-3", "i-4", "i-5")))
	want := []fleet.State{fleet.Started, fleet.Started, fleet.Later, fleet.Started, fleet.Started}
	if !slices.Equal(got, want) {
		t.Errorf("states %v, want %v", got, want)
	}
	slices.Sort(a.ids)
	if !slices.Equal(a.ids, []string{"i-1", "i-2", "i-4", "i-5"}) {
		t.Errorf("reached %v: each fit one once", a.ids)
	}
}

func TestAPushWithALostAnswerIsNotRepeated(t *testing.T) {
	a, c := &assistant{fail: failure{fleet.Lost, ""}}, &center{codes: []fleet.InstallCode{code("linux", time.Hour)}}
	got := push(a, c, pushes("linux", "i-1", "i-2"))
	if len(a.calls) != 1 || !slices.Equal(states(got), []fleet.State{fleet.Later, fleet.Later}) || got[0].Again == 0 {
		t.Errorf("calls %q, results %+v", a.calls, got)
	}
}

func TestADeniedPushFailsWithItsReason(t *testing.T) {
	a, c := &assistant{fail: failure{fleet.Denied, "Forbidden.RAM"}}, &center{codes: []fleet.InstallCode{code("linux", time.Hour)}}
	got := push(a, c, pushes("linux", "i-1"))
	if got[0].State != fleet.Failed || !strings.Contains(got[0].Why, "Forbidden.RAM") {
		t.Errorf("%+v", got[0])
	}
}

func TestTheCodeIsInNoResult(t *testing.T) {
	for _, fail := range []error{nil, failure{fleet.Denied, "Forbidden.RAM"}, failure{fleet.Lost, ""}, errors.New("broken")} {
		a, c := &assistant{fail: fail}, &center{codes: []fleet.InstallCode{{Code: "CANARY", OS: "linux", Vendor: "ALIYUN", Expires: noon.Add(time.Hour)}}}
		if text := fmt.Sprintf("%+v %#v", push(a, c, pushes("linux", "i-1")), c.codes); strings.Contains(text, "CANARY") {
			t.Errorf("the code shows in %s", text)
		}
	}
}

func TestAMissingCommandIsNamedAndNoCodeIsCreatedForIt(t *testing.T) {
	a, c := &assistant{}, &center{}
	scope := fleet.Scope{Account: "1000000000000003", Region: "cn-hangzhou"}
	got := agent.Push(a, c, nil, func() time.Time { return noon })(t.Context(), scope, pushes("linux", "i-1"))
	got = append(got, agent.PushTrustClient(a, agent.Commands{})(t.Context(), scope, pushes("1", "i-2"))...)
	for n, command := range []string{fleet.CommandAgentLinux, fleet.CommandTrustClient} {
		if got[n].State != fleet.Failed || !strings.Contains(got[n].Why, command+" has no id in account 1000000000000003") {
			t.Errorf("%+v", got[n])
		}
	}
	if len(a.calls) != 0 || c.listed != 0 || c.made != 0 {
		t.Errorf("calls %q, codes listed %d times, made %d", a.calls, c.listed, c.made)
	}
}

func TestTheTrustClientNeedsNoCode(t *testing.T) {
	a := &assistant{}
	got := agent.PushTrustClient(a, commands)(t.Context(), fleet.Scope{}, pushes("1", "i-1", "i-2"))
	if !slices.Equal(a.calls, []string{"c-trust  2"}) || got[1].State != fleet.Started {
		t.Errorf("calls %q, results %+v", a.calls, got)
	}
}

func TestARefreshWithALostAnswerCountsAsStarted(t *testing.T) {
	account := []fleet.Change{{Kind: fleet.RefreshAssets}}
	for name, tc := range map[string]struct {
		fail error
		want fleet.State
	}{
		"asked":     {nil, fleet.Started},
		"lost":      {failure{fleet.Lost, ""}, fleet.Started},
		"throttled": {failure{fleet.Throttled, "Throttling"}, fleet.Later},
		"denied":    {failure{fleet.Denied, "NoPermission"}, fleet.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			if got := agent.Refresh(&center{fail: tc.fail})(t.Context(), fleet.Scope{}, account); got[0].State != tc.want {
				t.Errorf("%+v", got[0])
			}
		})
	}
}

func TestParseCommands(t *testing.T) {
	got, err := agent.ParseCommands("fleetwarden-agent-linux=c-hz01,fleetwarden-trust-client=c-hz02")
	if err != nil || got[fleet.CommandAgentLinux] != "c-hz01" || got[fleet.CommandTrustClient] != "c-hz02" {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := agent.ParseCommands(""); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
	for _, text := range []string{"name", "=c-1", "name=", "name=x", "name=c-1,", "name=c-1;c-2"} {
		if got, err := agent.ParseCommands(text); err == nil {
			t.Errorf("%q gives %v", text, got)
		}
	}
}

type installer struct {
	calls []string
	skips string // an instance on which nothing begins
	fail  error
}

func (i *installer) OneClick(_ context.Context, _ fleet.Region, os string, ids []string) ([]string, error) {
	i.calls = append(i.calls, fmt.Sprintf("%s %d", os, len(ids)))
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == i.skips }), i.fail
}

// The answer of a call that succeeds names those on which an installation began.
func TestAOneClickThatBeganNothingIsNotReportedAsStarted(t *testing.T) {
	got := agent.OneClick(&installer{skips: "i-2"})(t.Context(), fleet.Scope{}, pushes("linux", "i-1", "i-2", "i-3"))
	if !slices.Equal(states(got), []fleet.State{fleet.Started, fleet.Failed, fleet.Started}) || !strings.Contains(got[1].Why, "began no") {
		t.Errorf("%+v", got)
	}
}

func TestOneClickAsksOnceForEachSystem(t *testing.T) {
	i := &installer{}
	got := agent.OneClick(i)(t.Context(), fleet.Scope{}, slices.Concat(pushes("windows", "i-1"), pushes("linux", "i-2", "i-3")))
	if !slices.Equal(i.calls, []string{"linux 2", "windows 1"}) || !slices.Equal(states(got), []fleet.State{fleet.Started, fleet.Started, fleet.Started}) {
		t.Errorf("calls %q, states %v", i.calls, states(got))
	}
}

func TestAOneClickWithALostAnswerIsNotRepeated(t *testing.T) {
	for name, tc := range map[string]struct {
		fail error
		want fleet.State
	}{
		"lost": {failure{fleet.Lost, ""}, fleet.Started}, "throttled": {failure{fleet.Throttled, "Throttling"}, fleet.Later},
		"denied": {failure{fleet.Denied, "NoPermission"}, fleet.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			i := &installer{fail: tc.fail}
			got := agent.OneClick(i)(t.Context(), fleet.Scope{}, pushes("linux", "i-1"))
			if len(i.calls) != 1 || got[0].State != tc.want {
				t.Errorf("calls %q, %+v", i.calls, got[0])
			}
		})
	}
}

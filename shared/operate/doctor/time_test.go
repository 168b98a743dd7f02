package doctor_test

import (
	"fmt"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"fleetwarden/shared/aliyun/fc"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/doctor"
)

// crowded is the world in an account with many functions of others, and slow services.
func crowded(n int) *world {
	w := newWorld()
	for i := range n {
		for _, region := range []fleet.Region{home, other} {
			name := fmt.Sprintf("app-%d", i)
			w.functions[at(region, name)] = &fc.Function{Name: name}
		}
	}
	w.lag = 200 * time.Millisecond
	return w
}

// However many functions others have, they take no time from the checks of ours.
func TestTheFunctionsOfOthersStarveNoCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := crowded(1000)
		began := time.Now()
		p := doctor.Examine(t.Context(), w.reads())
		if took := time.Since(began); took > doctor.Limit {
			t.Errorf("it took %v", took)
		}
		for _, r := range p.Results() {
			switch {
			case r.ID == "instances-left":
				if r.Result != doctor.Unread || len(r.Problems) != 2 || !regexp.MustCompile(` [0-9]+ of 10[0-9]{2} were read`).MatchString(r.Says) {
					t.Errorf("%+v", r)
				}
			case r.Result != doctor.OK:
				t.Errorf("%s is %s: %s", r.ID, r.Result, r.Says)
			}
		}
	})
}

// Who has more time than a terminal, such as the function, may use it.
func TestWithMoreTimeAllFunctionsAreRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := crowded(300).reads()
		r.Limit = time.Minute
		for _, c := range doctor.Examine(t.Context(), r).Results() {
			if c.Result != doctor.OK {
				t.Errorf("%s is %s: %s", c.ID, c.Result, c.Says)
			}
		}
	})
}

// A client that knows no context, as that of MNS, holds no examination up; and what had no time is
// unread, never failed.
func TestAClientThatDoesNotListenHoldsNothingUp(t *testing.T) {
	for _, api := range []string{"mns:BatchPeekMessage", "oss:ListObjects", "ram:GetRole", "sls:GetLogs"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			w.deaf = api
			began := time.Now()
			p := doctor.Examine(t.Context(), w.reads())
			if took := time.Since(began); took > doctor.Limit {
				t.Errorf("%s: it took %v", api, took)
			}
			if p.Count(doctor.Unread) == 0 || p.Count(doctor.Fail) > 0 {
				t.Errorf("%s: %+v", api, p.Results())
			}
			if api == "sls:GetLogs" && p.Count(doctor.OK) != len(doctor.Checks())-2 { // last-pass, and what asks after it
				t.Errorf("a log store that does not answer: %+v", p.Results())
			}
			time.Sleep(2 * time.Hour) // the calls end
		})
	}
}

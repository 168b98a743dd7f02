package doctor_test

import (
	"fmt"
	"strings"
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
				if r.Result != doctor.Unread || len(r.Problems) != 2 || !strings.Contains(r.Says, " of 1013 were read") && !strings.Contains(r.Says, " of 1009 were read") {
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

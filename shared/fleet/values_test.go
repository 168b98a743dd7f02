package fleet_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
)

func TestAFamilyIsReadFromItsNameOrFromTheType(t *testing.T) {
	for _, tc := range []struct {
		family, kind, want string
		enhanced           bool
	}{
		{"ecs.g7t", "", "g7t", true},
		{"ecs.g7", "ecs.g7t.large", "g7", false}, // the family wins
		{"", "ecs.c6t.xlarge", "c6t", true},
		{"", "ecs.r7.2xlarge", "r7", false},
		{"g7t", "", "g7t", true},
		{"ecs.t6", "", "t6", false},
		{"ecs.g7se", "", "g7se", false},
		{"ecs.ebmg7t", "", "ebmg7t", true},
		{"ecs.t", "", "t", false},
		{"ecs.7t", "", "7t", false},
		{"ecs.10t", "", "10t", false},
		{"ecs.g10t", "", "g10t", true},
		{"", "ecs.ebmc12t.32xlarge", "ebmc12t", true},
		{"ecs.g10", "", "g10", false},
		{"", "ecs.vgn7i-vws-m4.xlarge", "vgn7i-vws-m4", false},
		{"ecs.gt", "", "gt", false},
		{"", "", "", false},
		{"ecs.", "ecs..", "", false},
	} {
		got, enhanced := fleet.FamilyOf(tc.family, tc.kind)
		if got != tc.want || enhanced != tc.enhanced {
			t.Errorf("FamilyOf(%q, %q) = %q, %v; want %q, %v", tc.family, tc.kind, got, enhanced, tc.want, tc.enhanced)
		}
	}
}

func TestAFactThatWasNeverSetIsUnknown(t *testing.T) {
	var zero fleet.Fact[string]
	for f, want := range map[fleet.Fact[string]][3]any{
		zero:                             {false, false, "unknown"},
		fleet.Unknown[string]("because"): {false, false, "unknown"},
		fleet.Claim(""):                  {true, false, "claimed"},
		fleet.See(""):                    {true, true, "observed"},
	} {
		if got := [3]any{f.Known(), f.Seen(), f.Source.String()}; got != want {
			t.Errorf("%+v: %v, want %v", f, got, want)
		}
	}
}

func TestAccountIDsAreDigits(t *testing.T) {
	for id, want := range map[fleet.AccountID]bool{"1": true, "1000000000000001": true, fleet.AccountID(strings.Repeat("9", 32)): true,
		"": false, fleet.AccountID(strings.Repeat("9", 33)): false, "1a": false, "１": false, "-1": false, "1/2": false} {
		if id.Valid() != want {
			t.Errorf("%q: %v, want %v", id, !want, want)
		}
	}
}

func TestAKeyForgetsClaimsAndTries(t *testing.T) {
	a := fleet.Ref{Scope: here, Kind: fleet.KindInstance, ID: "i-1", Call: &fleet.Call{}, Try: fleet.Try{N: 3}}
	b := fleet.Ref{Scope: here, Kind: fleet.KindInstance, ID: "i-1"}
	if a.Key() != b.Key() {
		t.Errorf("%v and %v", a.Key(), b.Key())
	}
	b.Scope = there
	if a.Key() == b.Key() {
		t.Error("the same id in another region is another thing")
	}
}

func TestOnlyAutoScalingAndACKOwnInstances(t *testing.T) {
	for tag, want := range map[string]string{fleet.TagAutoScaling: "Auto Scaling", fleet.TagACK: "ACK", "owner": ""} {
		if got := (fleet.Listing{Tags: map[string]string{tag: ""}}).Manager(); got != want {
			t.Errorf("%s: %q, want %q", tag, got, want)
		}
	}
}

func TestOnlyATemplateMayHaveFilledIn(t *testing.T) {
	var none *fleet.Launch
	for l, want := range map[*fleet.Launch]bool{none: false, {}: false, {LaunchTemplateVersion: "1"}: false,
		{LaunchTemplateID: "lt-1"}: true, {LaunchTemplateName: "x"}: true} {
		if l.FromTemplate() != want {
			t.Errorf("%+v: %v", l, !want)
		}
	}
}

// failure is an error as clients return it.
type failure struct{}

func (failure) Error() string             { return "failure" }
func (failure) Class() fleet.Class        { return fleet.Throttled }
func (failure) ErrorCode() string         { return "Throttling.User" }
func (failure) RetryAfter() time.Duration { return time.Second }

func TestAnErrorIsKnownThroughWhatWrapsIt(t *testing.T) {
	wrapped := fmt.Errorf("doing: %w", errors.Join(errors.New("other"), failure{}))
	if fleet.ClassOf(wrapped) != fleet.Throttled || fleet.CodeOf(wrapped) != "Throttling.User" || fleet.RetryAfter(wrapped) != time.Second {
		t.Errorf("class %v, code %q, retry %v", fleet.ClassOf(wrapped), fleet.CodeOf(wrapped), fleet.RetryAfter(wrapped))
	}
}

func TestAnUnrecognisedErrorIsUnclassified(t *testing.T) {
	for _, err := range []error{nil, errors.New("new")} {
		if c := fleet.ClassOf(err); c != fleet.Unclassified || c.Passing() || fleet.CodeOf(err) != "" || fleet.RetryAfter(err) != 0 {
			t.Errorf("%v: class %v", err, c)
		}
	}
}

func TestTimeHealsSomeClassesOnly(t *testing.T) {
	heals := map[fleet.Class]bool{fleet.Throttled: true, fleet.Busy: true, fleet.Unavailable: true, fleet.Lost: true, fleet.OutOfBudget: true, fleet.Canceled: true}
	for c := fleet.Unclassified; c <= fleet.Canceled; c++ {
		if c.Passing() != heals[c] || c.String() == "" {
			t.Errorf("%v: %v", c, c.Passing())
		}
	}
}

func TestErrorsOfElementsNameTheirPlaceIfThereIsOne(t *testing.T) {
	for err, want := range map[error]string{
		&fleet.BadInput{What: "malformed"}:                  "malformed",
		&fleet.BadInput{Where: "line 3", What: "malformed"}: "line 3: malformed",
		&fleet.Ignored{Why: "not for us"}:                   "not for us",
		&fleet.Ignored{Where: "event 1", Why: "not for us"}: "event 1: not for us",
	} {
		if err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
	}
}

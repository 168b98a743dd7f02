package instances

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/rampolicy"
)

const guardFile = "../../../deploy/guard/hardening.json"

// denied is one parameter value that the guard denies of one call.
type denied struct{ call, parameter, value string }

// guard reads the preventive guard: the policy, and each value that it denies.
func guard(t *testing.T) (*rampolicy.Document, []denied) {
	t.Helper()
	text, err := os.ReadFile(guardFile)
	if err != nil {
		t.Fatal(err)
	}
	document, err := rampolicy.Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Statement []struct {
			Effect    string
			Action    []string
			Condition map[string]map[string]string
		}
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	var out []denied
	for _, s := range file.Statement {
		if s.Effect != "Deny" || len(s.Condition) == 0 {
			t.Fatalf("%+v is no Deny under a condition", s)
		}
		for operator, keys := range s.Condition {
			if operator != "StringEquals" {
				t.Fatalf("operator %s: only an exact value can be explained", operator)
			}
			for key, value := range keys {
				for _, action := range s.Action {
					out = append(out, denied{strings.TrimPrefix(action, "ecs:"), strings.TrimPrefix(key, "ecs:"), value})
				}
			}
		}
	}
	return document, out
}

// refusedLaunch is a call that RAM refused, which had one parameter.
func refusedLaunch(call, parameter, value string) fleet.Verdict {
	l := &fleet.Launch{InstanceType: "ecs.g7.large"}
	reflect.ValueOf(l).Elem().FieldByName(parameter).SetString(value)
	return explainCall(&fleet.Call{Name: call, ErrorCode: "Forbidden.RAM", Launch: l})
}

func TestEachDenialOfTheGuardIsExplained(t *testing.T) {
	_, denies := guard(t)
	if len(denies) == 0 {
		t.Fatal("the guard denies nothing")
	}
	for _, d := range denies {
		if _, known := reflect.TypeFor[fleet.Launch]().FieldByName(d.parameter); !known {
			t.Errorf("the guard denies %s, which no launch has", d.parameter)
			continue
		}
		v := refusedLaunch(d.call, d.parameter, d.value)
		if v.Outcome != fleet.Violation || !strings.Contains(v.Reason, d.parameter+"="+d.value) || !strings.Contains(v.Reason, "guard") {
			t.Errorf("%s with %s=%s: %s: %s", d.call, d.parameter, d.value, v.Outcome, v.Reason)
		}
	}
}

// The guard policy denies every launch that the rule attributes to it.
func TestOnlyDenialsOfTheGuardAreExplainedByIt(t *testing.T) {
	document, denies := guard(t)
	anything, err := rampolicy.Parse(`{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	values := []string{"Active", "Deactive", "optional", "vTPM", "cloud_essd"}
	for _, d := range denies {
		values = append(values, d.value)
	}
	launch := reflect.TypeFor[fleet.Launch]()
	explained := 0
	for i := range launch.NumField() {
		if launch.Field(i).Type.Kind() != reflect.String {
			continue
		}
		for _, call := range []string{"RunInstances", "CreateInstance"} {
			for _, value := range values {
				parameter := launch.Field(i).Name
				if v := refusedLaunch(call, parameter, value); v.Outcome != fleet.Violation {
					continue
				}
				explained++
				got := rampolicy.Evaluate([]*rampolicy.Document{document, anything}, rampolicy.Request{
					Action: "ecs:" + call, Resource: "acs:ecs:cn-hangzhou:1000000000000001:instance/i-any",
					Conditions: map[string][]string{"ecs:" + parameter: {value}},
				})
				if got != rampolicy.Denied {
					t.Errorf("%s with %s=%s is explained by the guard, whose answer is %v", call, parameter, value, got)
				}
			}
		}
	}
	if explained == 0 {
		t.Error("no refusal is explained")
	}
}

package deployment_test

import (
	"encoding/json"
	"strings"
	"testing"

	"fleetwarden/shared/deployment"
	"fleetwarden/shared/fleet"
)

func TestATriggerMayHaveMoreThanWasAskedFor(t *testing.T) {
	for name, c := range map[string]struct {
		want, have string
		same       bool
	}{
		"equal":                    {`{"a":1}`, `{"a":1}`, true},
		"a default was added":      {`{"a":{"b":true}}`, `{"a":{"b":true,"c":3}}`, true},
		"another value":            {`{"a":1}`, `{"a":2}`, false},
		"it is missing":            {`{"a":1}`, `{}`, false},
		"a list is shorter":        {`{"a":[1,2]}`, `{"a":[1]}`, false},
		"a list is longer":         {`{"a":[1]}`, `{"a":[1,2]}`, false},
		"a pattern, other blanks":  {`{"p":"{\"x\": [1]}"}`, `{"p":"{\"x\":[1]}"}`, true},
		"a pattern that is wider":  {`{"p":"{\"x\":[1]}"}`, `{"p":"{\"x\":[1],\"y\":[2]}"}`, false},
		"a pattern is no longer":   {`{"p":"{}"}`, `{"p":""}`, false},
		"null for an object":       {`{"a":{}}`, `{"a":null}`, false},
		"what stands is no object": {`{"a":1}`, `[]`, false},
		"what stands is no JSON":   {`{"a":1}`, `{"a":`, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := func(config string) deployment.Function {
				return deployment.Function{Triggers: map[string]deployment.Trigger{"t": {Type: "timer", Config: config}}}
			}
			if got := len(f(c.want).Repairs(f(c.have))) == 0; got != c.same {
				t.Errorf("the same: %t", got)
			}
		})
	}
}

// A trigger of a version or alias invokes code that a deployment does not change.
func TestATriggerInvokesWhatWasDeployed(t *testing.T) {
	f := func(qualifier string) deployment.Function {
		return deployment.Function{Triggers: map[string]deployment.Trigger{"t": {Type: "timer", Config: "{}", Qualifier: qualifier}}}
	}
	if r := f("").Repairs(f("")); len(r) != 0 {
		t.Errorf("repairs %+v", r)
	}
	if r := f("").Repairs(f("3")); len(r) != 1 || r[0].Have == nil {
		t.Errorf("repairs %+v", r)
	}
}

// A record holds no value of an environment variable: an operator may have put a secret there.
func TestARecordHoldsNoSecret(t *testing.T) {
	if d := deployment.Digest("hunter2"); strings.Contains(d, "hunter2") || d != deployment.Digest("hunter2") || d == deployment.Digest("hunter3") {
		t.Errorf("digest %s", d)
	}
}

func TestStatementsAreComparedWhateverTheirOrder(t *testing.T) {
	role := func(documents ...string) deployment.Role {
		r := fleet.Role{Name: "r", Trust: `{"Version":"1"}`}
		for _, d := range documents {
			r.Policies = append(r.Policies, fleet.Policy{Name: "p", Document: d})
		}
		out, err := deployment.RoleOf(r)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	a, b := `{"Effect":"Allow","Action":"a:B","Resource":"acs:ecs:*:*:command/c-1"}`, `{"Effect":"Allow","Action":"c:D","Resource":"*"}`
	want := role(`{"Statement":[` + a + `,` + b + `]}`)
	compare := func(have deployment.Role) string {
		return strings.Join(deployment.Compare(deployment.Record{Roles: []deployment.Role{want}}, deployment.Record{Roles: []deployment.Role{have}, Trails: []string{"t"}}), "\n")
	}
	reordered := `{"Statement": [{"Resource": "*", "Action": "c:D", "Effect": "Allow"}]}`
	if d := compare(role(reordered, `{"Statement":[`+a+`]}`)); d != "" {
		t.Errorf("of two policies: %s", d)
	}
	if d := compare(role(reordered)); !strings.Contains(d, "lacks") {
		t.Errorf("one is missing: %q", d)
	}
	other := strings.ReplaceAll(a, "c-1", "c-sh2")
	if d := compare(role(reordered, `{"Statement":[`+a+`,`+other+`]}`)); d != "" {
		t.Errorf("another region's command beside: %s", d)
	}
	if d := compare(role(reordered, `{"Statement":[`+other+`]}`)); !strings.Contains(d, "lacks") {
		t.Errorf("another region's command in place of ours: %q", d)
	}
	if d := compare(role(reordered, `{"Statement":[`+a+`,{"Effect":"Allow","Action":"*","Resource":"*"}]}`)); !strings.Contains(d, "beyond deploy/ram") {
		t.Errorf("more than the files say: %q", d)
	}
	if _, err := deployment.RoleOf(fleet.Role{Trust: "{", Name: "r"}); err == nil {
		t.Error("a trust that is no JSON was read")
	}
}

func TestAnEventRuleIsComparedWhole(t *testing.T) {
	rule := func(change func(*deployment.Rule)) deployment.Record {
		r := deployment.Rule{Bus: "default", Name: "r", Region: "cn-hangzhou", Status: "ENABLE", Pattern: "{}", Targets: []deployment.RuleTarget{{
			ID: "t", Type: "acs.eventbridge", Endpoint: "e", Retry: "EXPONENTIAL_DECAY_RETRY", DeadLetters: "d",
			Params: map[string]string{"Body": "ORIGINAL", "RAMRoleName": "CONSTANT members"},
		}}}
		change(&r)
		return deployment.Record{Rules: []deployment.Rule{r}, Trails: []string{"t"}}
	}
	as := func(*deployment.Rule) {}
	if d := deployment.Compare(rule(as), rule(as)); len(d) > 0 {
		t.Errorf("two of a kind: %q", d)
	}
	for name, change := range map[string]func(*deployment.Rule){
		"another bus": func(r *deployment.Rule) { r.Bus = "b" }, "another region": func(r *deployment.Rule) { r.Region = "cn-shanghai" },
		"disabled": func(r *deployment.Rule) { r.Status = "DISABLE" }, "another pattern": func(r *deployment.Rule) { r.Pattern = `{"a":["b"]}` },
		"no target": func(r *deployment.Rule) { r.Targets = nil }, "two targets": func(r *deployment.Rule) { r.Targets = append(r.Targets, deployment.RuleTarget{ID: "u"}) },
		"another endpoint": func(r *deployment.Rule) { r.Targets[0].Endpoint = "f" }, "another type": func(r *deployment.Rule) { r.Targets[0].Type = "acs.mns.queue" },
		"no dead letters": func(r *deployment.Rule) { r.Targets[0].DeadLetters = "" }, "another strategy": func(r *deployment.Rule) { r.Targets[0].Retry = "BACKOFF_RETRY" },
		"another role": func(r *deployment.Rule) { r.Targets[0].Params["RAMRoleName"] = "CONSTANT others" },
		"in Base64":    func(r *deployment.Rule) { r.Targets[0].Params["IsBase64Encode"] = "CONSTANT true" },
	} {
		d := deployment.Compare(rule(as), rule(change))
		if len(d) != 1 || !strings.HasPrefix(d[0], "event rule r of bus default in cn-hangzhou") || !strings.Contains(d[0], "; de") {
			t.Errorf("%s: %q", name, d)
		}
	}
}

// FuzzStatements: whatever a document holds, it is read in the order of its members or
// refused, and reading it again changes nothing.
func FuzzStatements(f *testing.F) {
	f.Add(`{"Statement":[{"b":1,"a":[2]}]}`)
	f.Add(`{"Statement":[null,"x"]}`)
	f.Add(`{`)
	f.Fuzz(func(t *testing.T, document string) {
		first, err := deployment.Statements([]byte(document))
		if err != nil {
			return
		}
		raw := make([]json.RawMessage, len(first))
		for i, s := range first {
			raw[i] = json.RawMessage(s)
		}
		text, err := json.Marshal(map[string]any{"Statement": raw})
		if err != nil {
			t.Fatal(err)
		}
		again, err := deployment.Statements(text)
		if err != nil || strings.Join(again, "\n") != strings.Join(first, "\n") {
			t.Errorf("%v, then %v: %v", first, again, err)
		}
	})
}

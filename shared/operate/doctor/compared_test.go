package doctor_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"fleetwarden/shared/aliyun/eventbridge"
	"fleetwarden/shared/aliyun/fc"
	"fleetwarden/shared/deployment"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/doctor"
)

// edit changes the records of a region in the ledger.
func (w *world) edit(region fleet.Region, change func(*deployment.Record)) {
	for name, text := range w.objects {
		if at, ok := deployment.RegionOf(name); ok && at == region {
			var r deployment.Record
			if err := json.Unmarshal([]byte(text), &r); err != nil {
				panic(err)
			}
			change(&r)
			changed, err := json.Marshal(r)
			if err != nil {
				panic(err)
			}
			w.objects[name] = string(changed)
		}
	}
}

// forget removes the records of a region.
func (w *world) forget(region fleet.Region) {
	for name := range w.objects {
		if at, ok := deployment.RegionOf(name); ok && at == region {
			delete(w.objects, name)
		}
	}
}

// Each of these worlds is foreign, with nothing to compare it with: ok would be wrong.
func TestWhatWasNotComparedIsUnread(t *testing.T) {
	compared := []string{"function-code", "function-settings", "triggers"}
	recorded := append(slices.Clone(compared), "policy", "event-rules", "event-patterns")
	everywhere := []string{"trail", "kms", "products-served", "functions-exist", "functions-enabled", "instances-left", "last-pass", "queues-exist", "queues-drained", "dead-letters", "commands"}
	for name, c := range map[string]struct {
		breaks func(*world, *doctor.Reads)
		unread []string
		mend   string
	}{
		"the ledger may not be listed": {func(w *world, _ *doctor.Reads) {
			w.err["oss:ListObjects"] = failure{class: fleet.Denied, api: "oss:ListObjects", code: "AccessDenied"}
		}, slices.Concat(recorded, everywhere, []string{"role-policies", "platform-rights", "deployment-recorded", "regions-deployed"}), "allow oss:ListObjects"},
		"no record may be read": {func(w *world, _ *doctor.Reads) {
			w.err["oss:GetObject"] = failure{class: fleet.Denied, api: "oss:GetObject", code: "AccessDenied"}
		}, slices.Concat(recorded, everywhere, []string{"role-policies", "platform-rights", "deployment-recorded", "regions-deployed"}), "allow oss:GetObject"},
		"the guarded regions may not be read": {func(w *world, r *doctor.Reads) {
			r.Policy.Regions = nil
			w.err["ecs:DescribeRegions"] = failure{class: fleet.Denied, api: "ecs:DescribeRegions"}
		}, slices.Concat(everywhere, []string{"policy", "event-rules", "event-patterns", "deployment-recorded", "regions-deployed"}), "allow ecs:DescribeRegions"},
		"there is no record": {func(w *world, _ *doctor.Reads) {
			w.forget(home)
			w.forget(other)
		}, recorded, "see deployment-recorded"},
		"home has no record": {func(w *world, _ *doctor.Reads) {
			w.forget(home)
			w.edit(other, func(r *deployment.Record) {
				r.Functions = slices.DeleteFunc(r.Functions, func(f deployment.Function) bool { return f.Region == home })
			})
		}, append(slices.Clone(compared), "policy", "event-rules"), "see deployment-recorded"},
		"a record has no checksums, no settings and no policy": {func(w *world, _ *doctor.Reads) {
			for _, region := range []fleet.Region{home, other} {
				w.edit(region, func(r *deployment.Record) {
					r.Policy = ""
					for i := range r.Functions {
						r.Functions[i].Checksum, r.Functions[i].Settings = "", nil
					}
				})
			}
		}, append(slices.Clone(compared), "policy"), "see deployment-recorded"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			reads := w.reads()
			c.breaks(w, &reads)
			for _, category := range append(doctor.Categories(), "") {
				var chosen []string
				if category != "" {
					chosen = []string{category}
				}
				p := doctor.Examine(t.Context(), reads, chosen...)
				said := false
				for _, r := range p.Results() {
					if !slices.Contains(c.unread, r.ID) {
						continue
					}
					said = true
					if r.Result != doctor.Unread || !slices.ContainsFunc(r.Problems, func(x doctor.Problem) bool { return strings.HasPrefix(x.Mend, c.mend) }) {
						t.Errorf("%q: %s is %s: %+v", category, r.ID, r.Result, r.Problems)
					}
				}
				if said && p.Success {
					t.Errorf("%q: success", category)
				}
			}
		})
	}
}

// Foreign functions behind a missing record are no deployment that is well.
func TestAForeignDeploymentWithoutARecordIsNotWell(t *testing.T) {
	w := newWorld()
	w.forget(home)
	w.forget(other)
	for key, f := range w.functions {
		f.CodeChecksum, f.Role = "foreign", "acs:ram::1:role/admin"
		w.triggers[key] = []fc.Trigger{{Name: "evil", Type: "http", Config: `{}`}}
	}
	if p := doctor.Examine(t.Context(), w.reads(), "functions"); p.Success || p.Count(doctor.Unread) < 3 {
		t.Errorf("%+v", p)
	}
}

// The canary goes to each region: a list that may be short is an error.
func TestTheRegionsAreWholeOrAnError(t *testing.T) {
	w := newWorld()
	if got, err := doctor.Regions(t.Context(), w.reads()); err != nil || !slices.Equal(got, []fleet.Region{home, other}) {
		t.Errorf("%v, %v", got, err)
	}
	for _, api := range []string{"oss:ListObjects", "oss:GetObject", "ecs:DescribeRegions"} {
		w := newWorld()
		w.err[api] = failure{class: fleet.Denied, api: api}
		r := w.reads()
		r.Policy.Regions = nil
		if _, err := doctor.Regions(t.Context(), r); fleet.ClassOf(err) != fleet.Denied {
			t.Errorf("%s: %v", api, err)
		}
	}
}

// A finding is sent to owners, logs and queues: what others put into targets and triggers may
// be a secret, and their names and digests are enough to find them.
func TestNoSecretOfTheCloudIsInAFinding(t *testing.T) {
	const canary = "S3CRET"
	w := newWorld()
	hook := "https://user:" + canary + "@oapi.dingtalk.com/robot/send/" + canary + "?access_token=" + canary
	foreign := eventbridge.Target{ID: "ding", Type: "acs.dingtalk", Endpoint: hook, Params: []eventbridge.Param{{Key: "SecretKey", Form: "CONSTANT", Value: canary, Template: canary}}}
	foreign.DeadLetter.ARN = hook
	for i, region := range []fleet.Region{home, other} {
		rule := w.rules[at(region, "fleetwarden-instance-running-to-attach-role")]
		if i == 0 {
			rule.Targets = append(rule.Targets, foreign)
			continue
		}
		foreign.ID = rule.Targets[0].ID
		rule.Targets[0] = foreign
	}
	for i, config := range []string{`{"eventRuleFilterPattern":"{\"a\":[\"` + canary + `\"]}","headers":{"Authorization":"Bearer ` + canary + `"}}`, `{"headers":"` + canary + `"}`, canary} {
		name := []string{"fleetwarden-attach-role", "fleetwarden-push-agent", "fleetwarden-sweep"}[i]
		w.triggers[at(home, name)][0].Config = config
		w.functions[at(home, name)].Environment = map[string]string{"TOKEN": canary}
	}
	p := doctor.Examine(t.Context(), w.reads())
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	found, err := json.Marshal(p.Findings())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text)+string(found), canary) {
		t.Errorf("%s", text)
	}
	for check, says := range map[string][]string{
		"event-rules": {"acs.dingtalk oapi.dingtalk.com (sha256:", "SecretKey sha256:"},
		"triggers":    {"eventRuleFilterPattern is sha256:", "no eventRuleFilterPattern", "has another configuration: sha256:"},
	} {
		all := ""
		for _, x := range result(t, p, check).Problems {
			all += x.Says + "\n"
		}
		for _, s := range says {
			if !strings.Contains(all, s) {
				t.Errorf("%s has no %q: %s", check, s, all)
			}
		}
	}
}

// Whatever was removed on purpose is not missing.
func TestARemovedRegionAndADroppedFunctionAreNotMissed(t *testing.T) {
	w := newWorld()
	for key := range w.functions {
		if strings.HasPrefix(key, string(other)) {
			delete(w.functions, key)
		}
	}
	w.edit(other, func(r *deployment.Record) { r.Functions, r.Roles, r.Rules = nil, nil, nil }) // by "make remove"
	reads := w.reads()
	reads.Policy.Regions = nil
	p := doctor.Examine(t.Context(), reads)
	for _, r := range p.Results() {
		if r.Result != doctor.OK && r.ID != "regions-deployed" {
			t.Errorf("%+v", r)
		}
	}
	w = newWorld()
	for i, region := range []fleet.Region{home, other} {
		w.edit(region, func(r *deployment.Record) {
			r.At = noon.Add(-time.Duration(30+i) * 24 * time.Hour)
			if region == other { // the older one
				r.Functions = append(r.Functions, deployment.Function{Name: "fleetwarden-old", Region: home, Checksum: "7", Settings: map[string]string{"a": "b"}})
			}
		})
	}
	for _, r := range doctor.Examine(t.Context(), w.reads()).Results() {
		if r.Result != doctor.OK {
			t.Errorf("%+v", r)
		}
	}
}

// GetFunction need not have the state: that is no function that is stopped.
func TestAFunctionWithoutAStateIsNotStopped(t *testing.T) {
	w := newWorld()
	for _, f := range w.functions {
		f.State, f.LastUpdate = "", ""
	}
	if got := result(t, doctor.Examine(t.Context(), w.reads()), "functions-enabled"); got.Result != doctor.OK {
		t.Errorf("%+v", got)
	}
}

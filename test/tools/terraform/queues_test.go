package terraform_test

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// functionRegions are the functions of s.yaml and whether each is of the home region.
func functionRegions(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	pattern := regexp.MustCompile(`(?m)^  ([a-z-]+):\n    component: .*\n    props:\n      region: \$\{vars\.(region|home)\}$`)
	for _, m := range pattern.FindAllStringSubmatch(string(read(t, filepath.Join(deploy, "../s.yaml"))), -1) {
		out[m[1]] = m[2] == "home"
	}
	if len(out) == 0 {
		t.Fatal("s.yaml has no function")
	}
	return out
}

// TestAQueueIsWhereItsFunctionIs: a queue costs by the day, used or not.
func TestAQueueIsWhereItsFunctionIs(t *testing.T) {
	home := functionRegions(t)
	for _, q := range decode[queueFile](t, filepath.Join(deploy, "queues.json")).Queues {
		if q.Where != "" && q.Where != "home" {
			t.Errorf("%s: where is %q", q.Name, q.Where)
		}
		of, isInbox := home[strings.TrimPrefix(q.Name, "fleetwarden-")]
		if isInbox && of != (q.Where == "home") {
			t.Errorf("%s is made in %q, and its function is of the home region: %v", q.Name, q.Where, of)
		}
		if !isInbox && !slices.Contains(unread, q.Name) {
			t.Errorf("nothing reads %s", q.Name)
		}
		sink, named := strings.CutPrefix(q.When, "sinks.")
		if q.When == "" {
			continue
		}
		if !named || q.Where != "home" || !strings.Contains(rootText(t, "terraform"), "local.policy."+q.When+",") {
			t.Errorf("%s is made when %q, where %q: not what queues.tf does", q.Name, q.When, q.Where)
		}
		if !strings.Contains(rootText(t, "terraform/member"), `!endswith(name, "-`+sink+`")`) {
			t.Errorf("member/main.tf does not refuse the right to send to %s", q.Name)
		}
	}
}

// TestDeadLettersAreCountedByTheMetricThatStays: the queue's own counters, of which
// CloudMonitor had the names too, are to answer zero.
// https://www.alibabacloud.com/help/en/mns/getqueueattributes, 2026-01-29
func TestDeadLettersAreCountedByTheMetricThatStays(t *testing.T) {
	alarm := resource(t, "alicloud_cms_alarm", "dead_letters")
	for name, want := range map[string]string{"project": "acs_mns_new", "metric": "NumberOfMessagesVisible"} {
		if a := alarm.body.Attributes[name]; a == nil || literal(a.Expr) != want {
			t.Errorf("%s is not %s", name, want)
		}
	}
	if !strings.Contains(alarm.text, `queue = "fleetwarden-dead-letters"`) {
		t.Error("it watches another queue")
	}
}

// TestMembersSendWhatTheInboxesTake: both ends of the way read the same file, and the bus,
// the role and the account's number are the same at both.
func TestMembersSendWhatTheInboxesTake(t *testing.T) {
	sends, takes := rootText(t, "terraform/memberevents"), rootText(t, "terraform")
	rules := `concat(try(q.eventRules, []), try(q.memberRules, []))`
	if !strings.Contains(sends, rules) || !strings.Contains(takes, rules) {
		t.Errorf("not both ends read %s", rules)
	}
	for _, at := range []struct{ text, part string }{
		{takes, `event_bus_name = "fleetwarden-members"`},
		{sends, `resource_key = "EventBusName" form = "CONSTANT" value = "fleetwarden-members"`},
		{takes, `role_name = "fleetwarden-members"`},
		{sends, `resource_key = "RAMRoleName" form = "CONSTANT" value = "fleetwarden-members"`},
		{takes, `"${member}@eventbridge.aliyuncs.com"`},
		{takes, `["aliyunoriginalaccountid"] : attribute => sort(var.members) }`},
		{takes, `"fleetwarden-members" = local.members ? q.member_rules : []`},
	} {
		if !strings.Contains(at.text, at.part) {
			t.Errorf("no %s", at.part)
		}
	}
	for _, q := range decode[queueFile](t, filepath.Join(deploy, "queues.json")).Queues {
		for _, rule := range q.MemberRules {
			if slices.Contains(q.EventRules, rule) {
				t.Errorf("%s has the rule %s twice", q.Name, rule)
			}
			read(t, filepath.Join(deploy, "eventrules", rule+".json"))
		}
	}
}

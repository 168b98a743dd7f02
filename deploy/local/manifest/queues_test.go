package manifest_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fleetwarden/deploy/local/manifest"
)

const shipped = "../.."

func TestTheShippedRulesFillTheInboxes(t *testing.T) {
	for region, want := range map[string][]string{
		"cn-hangzhou": {
			"default instance-running attach-role", "members instance-running attach-role", "members launches attach-role",
			"default command-completed push-agent", "default first-heartbeat push-agent", "default instance-running push-agent",
			"members command-completed push-agent", "members first-heartbeat push-agent", "members instance-running push-agent",
			"members image-shares setup-share-role", "members launches validate-instance",
		},
		"cn-shanghai": {
			"default instance-running attach-role", "members instance-running attach-role", "members launches attach-role",
			"default command-completed push-agent", "default first-heartbeat push-agent", "default instance-running push-agent",
			"members command-completed push-agent", "members first-heartbeat push-agent", "members instance-running push-agent",
			"members launches validate-instance",
		},
	} {
		rules, err := manifest.Rules(shipped, "1000000000000001", region, "cn-hangzhou", []string{"1000000000000004", "1000000000000003"})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range rules {
			pattern, inbox, _ := strings.Cut(strings.TrimPrefix(r.Name, "fleetwarden-"), "-to-")
			got = append(got, strings.TrimPrefix(r.Bus, "fleetwarden-")+" "+pattern+" "+inbox)
			ofMembers := strings.Contains(string(r.Pattern), `"aliyunoriginalaccountid":["1000000000000003","1000000000000004"]`)
			if ofMembers != (r.Bus == manifest.MembersBus) {
				t.Errorf("%s of %s takes %s", r.Name, r.Bus, r.Pattern)
			}
			if r.Queue != "fleetwarden-"+inbox || r.Endpoint != "acs:mns:"+region+":1000000000000001:queues/"+r.Queue {
				t.Errorf("%s fills %s at %s", r.Name, r.Queue, r.Endpoint)
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("in %s: got %q, want %q", region, got, want)
		}
	}
	rules, err := manifest.Rules(shipped, "1000000000000001", "cn-hangzhou", "cn-hangzhou", nil)
	if err != nil || len(rules) != 4 {
		t.Errorf("without members: %d rules, %v", len(rules), err)
	}
}

// Terraform has the same facts in its own words.
func TestTerraformMakesTheSameRules(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(shipped, "terraform", "queues.tf"))
	if err != nil {
		t.Fatal(err)
	}
	have := strings.Join(strings.Fields(string(text)), " ")
	for _, want := range []string{
		`fleetwarden-${rule}-to-${trimprefix(queue, "fleetwarden-")}" => {`, `status = "ENABLE"`, `{ "default" = q.rules, "fleetwarden-members" = local.members ? q.member_rules : [] }`,
		`target_id = each.value.queue type = "acs.mns.queue" endpoint = "acs:mns:${var.region}:${local.account}:queues/${each.value.queue}" push_retry_strategy = "EXPONENTIAL_DECAY_RETRY"`,
		`dead_letter_queue { arn = "acs:mns:${var.region}:${local.account}:/queues/fleetwarden-dead-letters" }`,
		`param_list { resource_key = "queue" form = "CONSTANT" value = each.value.queue }`, `resource_key = "Body" form = "ORIGINAL"`,
	} {
		if !strings.Contains(have, want) {
			t.Errorf("queues.tf does not have %s", want)
		}
	}
}

func TestQueuesWithAMistakeAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"an unknown key": `{"queues":[{"name":"q","eventRule":["x"]}]}`, "no JSON": `{`, "no such pattern": `{"queues":[{"name":"q","eventRules":["moon"]}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "queues.json"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := manifest.Rules(dir, "1", "cn-hangzhou", "cn-hangzhou", nil); err == nil {
				t.Error("it was read")
			}
		})
	}
	if _, err := manifest.Queues(t.TempDir(), "cn-hangzhou", "cn-hangzhou"); err == nil {
		t.Error("no file was read")
	}
}

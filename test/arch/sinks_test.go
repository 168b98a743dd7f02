package arch_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"fleetwarden/deploy/local/manifest"
	"fleetwarden/shared/fleet"
)

// The functions that judge or examine send their findings, so each has an optional right for each queue
// that the policy can name. The queue is made if the policy names it.
func TestEachSinkHasItsQueueAndTheRightsToSendThere(t *testing.T) {
	queues, err := manifest.Queues(filepath.Join(top, "deploy"), "cn-hangzhou", "cn-hangzhou")
	if err != nil {
		t.Fatal(err)
	}
	for _, sink := range sinks(t) {
		name := fleet.CloudName(sink)
		if !slices.ContainsFunc(queues, func(q manifest.Queue) bool { return q.Name == name && q.When == "sinks."+sink }) {
			t.Errorf("deploy/queues.json has no queue %s that is made when sinks.%s names it", name, sink)
		}
		senders := append(fleet.Owners(), fleet.FunctionSweep, fleet.FunctionDoctor)
		slices.Sort(senders)
		if got := stems(t, "deploy/ram/optional/*-"+sink+".json", "-"+sink+".json"); !slices.Equal(got, senders) {
			t.Errorf("deploy/ram/optional has %s for %v; those that send are %v", sink, got, senders)
			continue
		}
		for _, function := range senders {
			queue := "acs:mns:*:*:/queues/" + name + "/messages"
			got := grants(t, filepath.Join(top, "deploy/ram/optional", function+"-"+sink+".json"))
			if !slices.Equal(got, []grant{{"mns:SendMessage", queue}, {"mns:BatchSendMessage", queue}}) {
				t.Errorf("%s-%s: %v", function, sink, got)
			}
		}
	}
}

// sinks are the keys of the policy that name a queue: texts without a list of words.
func sinks(t *testing.T) (keys []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(top, "deploy", "policy.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Properties struct {
			Sinks struct {
				Properties map[string]struct{ Enum []string }
			}
		}
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	for key, property := range schema.Properties.Sinks.Properties {
		if property.Enum == nil {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		t.Fatal("the policy has no sinks")
	}
	slices.Sort(keys)
	return keys
}

package events

import "embed"

// Sample is an event as the vendor publishes it, which an event rule of deploy/eventrules is
// there for.
type Sample struct {
	// Rule is the name of the rule's file, and Name that of the sample's, without .json.
	Rule, Name string
	// Text is JSON.
	Text string
}

//go:embed samples/run-instances-api.json samples/create-instance-api.json samples/run-instances-denied.json
//go:embed samples/state-change-running.json samples/first-heartbeat.json samples/task-completed.json
//go:embed samples/share-image-api.json samples/share-create-snapshot.json samples/share-status-snapshot.json
var samples embed.FS

// Samples are one or more for each rule. They name no resource of anyone.
func Samples() []Sample {
	out := []Sample{
		{Rule: "launches", Name: "run-instances-api"}, {Rule: "launches", Name: "create-instance-api"}, {Rule: "launches", Name: "run-instances-denied"},
		{Rule: "instance-running", Name: "state-change-running"}, {Rule: "first-heartbeat", Name: "first-heartbeat"},
		{Rule: "command-completed", Name: "task-completed"}, {Rule: "image-shares", Name: "share-image-api"},
		{Rule: "resource-shares", Name: "share-create-snapshot"}, {Rule: "resource-shares", Name: "share-status-snapshot"},
	}
	for i := range out {
		text, _ := samples.ReadFile("samples/" + out[i].Name + ".json") // it is embedded
		out[i].Text = string(text)
	}
	return out
}

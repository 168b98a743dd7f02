package ecs

import (
	"fmt"
	"time"

	"fleetwarden/deploy/local/simcloud"
)

// taskStatus is where a command is on one instance: InvocationStatus.
type taskStatus uint8

const (
	taskPending taskStatus = iota
	taskRunning
	// Final from here on.
	taskSuccess
	taskFailed
	taskTimeout
	taskError
	taskAborted
)

func (t taskStatus) String() string {
	return [...]string{"Pending", "Running", "Success", "Failed", "Timeout", "Error", "Aborted"}[t]
}

func (t taskStatus) final() bool { return t >= taskSuccess }

// invocation is one run of a command on up to 100 instances.
type invocation struct {
	id         string
	command    *command
	parameters string // JSON, as given
	params     map[string]string
	timeout    time.Duration
	username   string
	workingDir string
	created    time.Time
	tags       tags
	tasks      []*task
}

// task is an invocation on one instance.
type task struct {
	of            *invocation
	instance      *instance
	status        taskStatus
	exit          int
	code          string // ErrorCode
	output        string
	start, finish time.Time
	repeats       int
}

// errorInfos are the ErrorInfo of each ErrorCode, from the field comments of
// ecs-20140526.
var errorInfos = map[string]string{
	"InstanceNotExists":  "The specified instance does not exist.",
	"InstanceReleased":   "The specified instance was released during task execution.",
	"InstanceNotRunning": "The specified instance was not running during task execution.",
	"ClientNotRunning":   "The aliyun service is not running on the instance.",
	"ClientNotResponse":  "The aliyun service in the instance does not response.",
	"DeliveryTimeout":    "The command delivery has been timeout.",
	"ExecutionTimeout":   "The command execution has been timeout.",
	"ExitCodeNonzero":    "The command execution exit code is not zero.",
}

// load is what Cloud Assistant did on one instance.
type load struct {
	active, count int
	last          time.Time
}

// status is the aggregate InvocationStatus, as the field comments define it. That
// Pending comes before Running is assumed. No API stops an invocation here.
func (v *invocation) status() string {
	n := map[string]int{}
	for _, t := range v.tasks {
		switch {
		case !t.status.final() || t.status == taskSuccess:
			n[t.status.String()]++
		default:
			n["Failed"]++
		}
	}
	switch {
	case n["Pending"] > 0:
		return "Pending"
	case n["Running"] > 0:
		return "Running"
	case n["Success"] > 0 && n["Failed"] > 0:
		return "PartialFailed"
	case n["Success"] > 0:
		return "Success"
	default:
		return "Failed"
	}
}

// record is the aggregate InvokeStatus: the older words.
func (v *invocation) record() string {
	switch s := v.status(); s {
	case "Pending":
		return "Running"
	case "Success":
		return "Finished"
	default:
		return s
	}
}

// builtIn are the parameters that every script may use.
func (t *task) builtIn(sp *space) map[string]string {
	v, i := t.of, t.instance
	return map[string]string{
		"ACS::RegionId": sp.region, "ACS::AccountId": sp.account, "ACS::InstanceId": i.id,
		"ACS::InstanceName": i.name, "ACS::InvokeId": v.id, "ACS::CommandId": v.command.id,
	}
}

// exactTime is how Cloud Assistant writes a time: UTC, to the second; empty for
// none.
func exactTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

// How many records are kept, and how long: documented.
const (
	mostRecords = 10_000
	recordsLast = 30 * 24 * time.Hour
)

// note keeps an invocation, and forgets what is too old. The caller holds the
// mutex.
func (sp *space) note(v *invocation) {
	sp.invocations.Put(v.id, v)
	for _, old := range sp.invocations.After(0) {
		if sp.invocations.Len() <= mostRecords && v.created.Sub(old.created) <= recordsLast {
			return
		}
		sp.invocations.Delete(old.id)
		return // one came, so at most one has to go
	}
}

// loadOf is the load of an instance, to be changed. The caller holds the mutex.
func (sp *space) loadOf(id string) *load {
	l := sp.load[id]
	if l == nil {
		l = &load{}
		sp.load[id] = l
	}
	return l
}

// CommandState is a command or an invocation in the world's dump. It holds no
// parameters, since they may be secrets, and no times.
type CommandState struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	ID      string `json:"id"`
	Name    string `json:"name"` // of the command
	// Tasks is, of an invocation, the status by instance.
	Tasks map[string]string `json:"tasks,omitempty"`
}

// Commands is all commands that are kept, and then all invocations, by account and region.
func (s *Service) Commands() any {
	kept := collect(s, func(sp *space) *simcloud.Table[command] { return &sp.commands }, func(c *command, sp *space) CommandState {
		return CommandState{Account: sp.account, Region: sp.region, ID: c.id, Name: c.name}
	})
	return append(kept, collect(s, func(sp *space) *simcloud.Table[invocation] { return &sp.invocations }, func(v *invocation, sp *space) CommandState {
		return CommandState{sp.account, sp.region, v.id, v.command.name, v.tasksState()}
	})...)
}

func (v *invocation) tasksState() map[string]string {
	out := make(map[string]string, len(v.tasks))
	for _, t := range v.tasks {
		out[t.instance.id] = t.status.String()
		if t.code != "" {
			out[t.instance.id] = fmt.Sprintf("%s (%s)", t.status, t.code)
		}
	}
	return out
}

// older is InstanceInvokeStatus, the older word for the status.
func (t *task) older() string {
	switch {
	case !t.status.final():
		return "Running"
	case t.status == taskSuccess:
		return "Finished"
	default:
		return "Failed"
	}
}

// changed is when the status changed last.
func (t *task) changed() time.Time {
	last := t.of.created
	for _, at := range []time.Time{t.start, t.finish} {
		if at.After(last) {
			last = at
		}
	}
	return last
}

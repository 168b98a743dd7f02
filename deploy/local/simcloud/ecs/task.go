package ecs

import (
	"slices"
	"strconv"
	"time"

	"fleetwarden/deploy/local/simcloud/wire"
)

// How a command reaches an instance. That it must within one minute is
// documented; the rest is assumed.
const (
	toDeliver  = time.Second
	redeliver  = 5 * time.Second
	mostToWait = time.Minute
)

// fit finds the instances of an invocation. If one is unfit the whole call
// fails: documented, with 404 InvalidInstance.NotFound and InvalidInstance.NotMatch,
// the latter 403 in RunCommand's table and 400 in InvokeCommand's. That an
// instance without Cloud Assistant counts as no match is assumed; one whose
// Cloud Assistant is silent is accepted, and the command is then aborted. The
// caller holds the mutex.
func (s *Service) fitFor(sp *space, ids []string, cmd *command, status int) ([]*instance, error) {
	if len(ids) == 0 {
		return nil, invalid("MissingParam.InstanceId", "The parameter instanceId is missing or empty.")
	}
	var fit []*instance
	for _, id := range unique(slices.Clone(ids)) {
		i := sp.instances.Get(id)
		switch {
		case i == nil:
			return nil, wire.Errorf(404, "InvalidInstance.NotFound", "The specified instance does not exist.")
		case i.status != running, i.spec.image.os != cmd.os(), i.guest.version == "":
			return nil, wire.Errorf(status, "InvalidInstance.NotMatch", "The specified instance type does not match the command.")
		}
		fit = append(fit, i)
	}
	return fit, nil
}

// invoke starts an invocation. The caller holds the mutex.
func (s *Service) invoke(sp *space, v *invocation, ins []*instance) {
	now := s.w.Clock.Now()
	v.id, v.created = s.w.NewID("t-"), now
	v.command.invoked++
	for _, i := range ins {
		t := &task{of: v, instance: i}
		v.tasks = append(v.tasks, t)
		l := sp.loadOf(i.id)
		l.active, l.count, l.last = l.active+1, l.count+1, now
		s.w.After(toDeliver, func() { s.arrive(sp, t) })
	}
	sp.note(v)
}

// arrive starts a task if its instance can be reached, and tries again until it
// is too late. The caller holds the mutex.
func (s *Service) arrive(sp *space, t *task) {
	i := t.instance
	late := s.w.Clock.Now().Sub(t.of.created) >= mostToWait
	gone := sp.instances.Get(i.id) != i
	switch {
	case gone:
		s.end(sp, t, taskAborted, "InstanceNotExists")
	case i.status != running && late:
		s.end(sp, t, taskAborted, "InstanceNotRunning")
	case i.beats() && i.guest.outcome != Undelivered:
		s.begin(sp, t)
	case !late:
		s.w.After(redeliver, func() { s.arrive(sp, t) })
	case i.guest.assistant == absent:
		s.end(sp, t, taskAborted, "ClientNotRunning")
	case i.beats():
		s.end(sp, t, taskAborted, "DeliveryTimeout")
	default:
		s.end(sp, t, taskAborted, "ClientNotResponse")
	}
}

// begin runs a task until its script has ended or its timeout is over. The
// caller holds the mutex.
func (s *Service) begin(sp *space, t *task) {
	t.status, t.start, t.repeats = taskRunning, s.w.Clock.Now(), 1
	length := lengthOf(t.of.command.content)
	if t.instance.guest.outcome == Hangs || length > t.of.timeout {
		s.w.After(t.of.timeout, func() { s.finish(sp, t, true) })
		return
	}
	s.w.After(length, func() { s.finish(sp, t, false) })
}

// finish ends a task that runs. That a release or a stop under way is an Error is
// assumed. The caller holds the mutex.
func (s *Service) finish(sp *space, t *task, late bool) {
	i := t.instance
	switch {
	case t.status != taskRunning:
	case sp.instances.Get(i.id) != i:
		s.end(sp, t, taskError, "InstanceReleased")
	case i.status != running:
		s.end(sp, t, taskError, "InstanceNotRunning")
	case late:
		s.end(sp, t, taskTimeout, "ExecutionTimeout")
	default:
		s.result(sp, t)
	}
}

// result is how a script ends that ran to its end. The caller holds the mutex.
func (s *Service) result(sp *space, t *task) {
	cmd, o := t.of.command, t.instance.guest.outcome
	script := cmd.render(t.of.params, t.builtIn(sp))
	t.output = outputOf(script, o)
	if o == Fails || o == NoSite {
		t.exit = exits[o]
		s.end(sp, t, taskFailed, "ExitCodeNonzero")
		return
	}
	if o != NoEffect {
		s.carryOut(Machine{sp, t.instance}, script, t.of.params)
	}
	s.end(sp, t, taskSuccess, "")
}

// end gives a task its final status and raises TaskCompleted for its instance.
// The fields are those of the published table, which ends after invocationStatus
// in the text that could be read. The caller holds the mutex.
func (s *Service) end(sp *space, t *task, status taskStatus, code string) {
	t.status, t.code, t.finish = status, code, s.w.Clock.Now()
	sp.loadOf(t.instance.id).active--
	data := map[string]string{
		"commandId": t.of.command.id, "commandName": t.of.command.name, "exitCode": strconv.Itoa(t.exit),
		"finishTime": exactTime(t.finish), "instanceId": t.instance.id, "invocationStatus": status.String(),
	}
	s.w.Clock.After(0, func() { s.publish(sp, "ecs:CloudAssistant:TaskCompleted", data) })
}

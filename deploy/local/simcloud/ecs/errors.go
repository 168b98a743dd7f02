package ecs

import "fleetwarden/deploy/local/simcloud/wire"

// invalid is 400 InvalidParameter.<name> or another 400 code.
func invalid(code, format string, args ...any) error {
	return wire.Errorf(400, code, format, args...)
}

// missing is 400 MissingParameter: error tables of all APIs.
func missing(name string) error {
	return wire.Errorf(400, "MissingParameter", "The input parameter %q that is mandatory for processing this request is not supplied.", name)
}

// dryRun is how a passed dry run is reported: as the error DryRunOperation. Its
// HTTP status is assumed.
func dryRun() error {
	return wire.Errorf(400, "DryRunOperation", "Request validation has been passed with DryRun flag set.")
}

// dryRunBatch is the same for StartInstances and StopInstances, whose parameter DryRun is documented to answer
// DRYRUN.SUCCESS. Its HTTP status is assumed.
func dryRunBatch() error {
	return wire.Errorf(400, "DRYRUN.SUCCESS", "Request validation has been passed with DryRun flag set.")
}

// wrongStatus is 403 IncorrectInstanceStatus: error tables of StartInstance,
// StopInstance and DeleteInstance.
func wrongStatus(s status) error {
	return wire.Errorf(403, "IncorrectInstanceStatus", "The current status of the resource does not support this operation: %s.", s)
}

// tooMany is for a repeated parameter with too many elements; the code is
// assumed.
func tooMany(name string, most int) error {
	return invalid("InvalidParameter."+name, "The number of %s exceeds the limit of %d.", name, most)
}

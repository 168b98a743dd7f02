package ecs

import (
	"fmt"
	"time"
)

// status is where an instance is in its life.
type status uint8

const (
	pending status = iota
	starting
	running
	stopping
	stopped
	deleted // only in events: a deleted instance is gone
)

func (s status) String() string {
	return [...]string{"Pending", "Starting", "Running", "Stopping", "Stopped", "Deleted"}[s]
}

// parseStatus is the status of a name, or false.
func parseStatus(name string) (status, bool) {
	for s := pending; s < deleted; s++ {
		if s.String() == name {
			return s, true
		}
	}
	return 0, false
}

// instance is small, because a world holds 100,000: what all instances of a
// launch have in common is in one spec.
type instance struct {
	id, name string
	spec     *spec
	role     string
	tags     tags
	meta     *metadata
	created  time.Time
	system   *disk // nil for none, which only a seed can make
	data     []*disk
	guest    *guest
	started  int64  // when it was last started, Unix; 0: it is not known to have been since it was created
	seen     int64  // last heartbeat of Cloud Assistant, Unix; see instance.lastBeat
	number   uint32 // of its address
	status   status
	mode     stopMode
	beat     bool // Cloud Assistant has had its first heartbeat
	up       bool // Cloud Assistant's service has been started since the last boot
	booted   bool // has been Running

	trustClient bool // installed; no API shows it
}

// spec is what a launch asked for and its instances share. It never changes.
type spec struct {
	kind          *instanceType
	image         *image
	vpc, vswitch  string
	groups        []string
	zone          string
	resourceGroup string
	keyPair       string
	hostName      string
	description   string
	charge        string
	userData      string
	hardening     string // SecurityEnhancementStrategy as asked for
	classic       bool
	protected     bool // DeletionProtection
}

// metadata is how an instance's metadata service may be asked.
type metadata struct {
	endpoint, tokens string
	hops             int
}

// openMetadata is the documented default: enabled, tokens optional.
var openMetadata = &metadata{endpoint: "enabled", tokens: "optional", hops: 1}

// stopMode says what a stopped instance costs.
type stopMode uint8

const (
	notApplicable stopMode = iota
	keepCharging
	stopCharging
)

func (m stopMode) String() string {
	return [...]string{"Not-applicable", "KeepCharging", "StopCharging"}[m]
}

// address is an address in 10.0.0.0/8 of the instance's own.
func (i *instance) address() string {
	n := i.number
	return fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255)
}

// startTime is when the instance was last started.
func (i *instance) startTime() time.Time {
	if i.started == 0 {
		return i.created
	}
	return time.Unix(i.started, 0)
}

// disks are the instance's disks, system disk first.
func (i *instance) disks() []*disk {
	if i.system == nil {
		return i.data
	}
	return append([]*disk{i.system}, i.data...)
}

// networkType is InstanceNetworkType.
func (i *instance) networkType() string {
	if i.spec.classic {
		return "classic"
	}
	return "vpc"
}

// disk is a cloud disk; what a launch's disks share is in one diskSpec.
type disk struct {
	id      string
	holder  *instance // nil: not attached
	spec    *diskSpec
	created time.Time
	tags    tags
}

type diskSpec struct {
	system           bool
	category, level  string
	encrypted        bool
	key              string
	size             int
	snapshot, device string
	imageID          string
	zone             string
	stays            bool // DeleteWithInstance=false
}

// kind is the Type of a disk.
func (d *diskSpec) kind() string {
	if d.system {
		return "system"
	}
	return "data"
}

// cloudTime is how ECS writes a time: UTC, to the minute.
func cloudTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04Z") }

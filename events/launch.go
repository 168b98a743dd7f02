package events

import (
	"bytes"
	"strconv"
	"strings"

	"fleetwarden/shared/fleet"

	"github.com/go-json-experiment/json/jsontext"
)

// launch reads a call that creates instances.
func (r *reader) launch(ev Event, rec object, call fleet.LaunchCall) (Event, error) {
	ev.Kind = fleet.EventLaunch
	ev.Call = r.call(&ev, rec)
	if ev.Call.ErrorCode == dryRun {
		ev.Ignored = "a dry run launches nothing"
		return ev, nil
	}
	if l := r.launchParameters(rec, ev.Call.ErrorCode != ""); !call.AnyResource || l.FromTemplate() || l != nil && l.InstanceType != "" {
		ev.Call.Launch = l // a buy page has parameters of its own, which say nothing of a launch
	}
	scope, noScope := ev.scope()
	refs, err := r.launched(rec, fleet.Ref{Scope: scope, Kind: fleet.KindInstance, Call: ev.Call})
	none := len(refs) == 0 && err == nil
	switch {
	case none && ev.Call.ErrorCode != "" && r.canary(rec) != "":
		ev.Ignored = "it is the canary " + r.canary(rec)
		return ev, nil
	case none && call.AnyResource:
		ev.Ignored = "it names no instance: another resource was bought"
		return ev, nil
	case none && call.Deferred && ev.Call.ErrorCode == "":
		ev.Ignored = "it names no instance: those it leads to are launched by calls of their own"
		return ev, nil
	case noScope != nil:
		return ev, noScope
	}
	if ev.Call.Launch != nil {
		ev.Call.Launch.Disks = r.disks(rec)
	}
	if ev.Refs = refs; len(refs) > 0 || err != nil {
		return ev, err
	}
	ref := fleet.Ref{Scope: scope, Kind: fleet.KindAccount, Call: ev.Call}
	if ev.Call.ErrorCode != "" {
		ref.Kind, ref.ID = fleet.KindCall, ev.Call.EventID
		if !validEventID(ref.ID) {
			return ev, bad("eventId", ref.ID)
		}
	}
	ev.Refs = []fleet.Ref{ref}
	return ev, nil
}

// maxDisks is how many disks of a launch are kept: 100 instances can have 17 each.
const maxDisks = 1700

// disks are the disks that the record refers to. A malformed id, or one too many, is left
// out: it is only a hint where to look.
func (r *reader) disks(rec object) (ids []string) {
	for name, v := range r.leaves(rec, "referencedResources") {
		if !bytes.HasPrefix(name, []byte("ACS::ECS::Disk.")) || len(ids) == maxDisks {
			continue
		}
		if id := r.text(v); validDiskID(id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// launchParameters reads what rules ask of a launch; nil when the record has no
// parameters that can be read. What it asked of its disks is of interest if it failed.
func (r *reader) launchParameters(rec object, failed bool) *fleet.Launch {
	parameters := r.parameters(rec)
	if parameters == "" {
		return nil
	}
	p := launchReader{r: r, launch: new(fleet.Launch), failed: failed}
	for name, v := range r.leaves(rec, parameters) {
		p.read(name, v)
	}
	return p.finish()
}

// maxInterfaces is how many network interfaces a launch is searched for its
// primary one.
const maxInterfaces = 8

type networkInterface struct{ vSwitch, role string }

type launchReader struct {
	r          *reader
	launch     *fleet.Launch
	failed     bool
	amount     int
	maxAmount  int
	interfaces []networkInterface
	group      *launchReader // of LaunchConfiguration
}

func (p *launchReader) read(name []byte, v jsontext.Value) {
	if p.failed {
		p.disk(name, v)
	}
	if text := launchText(p.launch, name); text != nil {
		*text = p.r.text(v)
		return
	}
	switch string(name) {
	case "UserData":
		p.launch.HasUserData = len(p.r.plain(v)) > 0
	case "DryRun":
		p.launch.DryRun = bytes.EqualFold(p.r.plain(v), []byte("true"))
	case "Amount":
		p.amount = p.number(v)
	case "MaxAmount": // the console's name for it
		p.maxAmount = p.number(v)
	default:
		if rest, ok := bytes.CutPrefix(name, []byte("NetworkInterface.")); ok {
			p.networkInterface(rest, v)
		} else if bytes.HasPrefix(name, []byte("UserData.")) { // one that is JSON
			p.launch.HasUserData = true
		}
		p.ofGroup(name, v)
	}
}

// ofGroup takes the parameters of CreateAutoProvisioningGroup, with the names of its API
// reference: LaunchConfiguration.X, and the vSwitches of LaunchTemplateConfig.N, of which
// the first stands for all. The instance type may be any of several, so none is claimed.
func (p *launchReader) ofGroup(name []byte, v jsontext.Value) {
	if bytes.HasPrefix(name, []byte("LaunchTemplateConfig.")) && bytes.HasSuffix(name, []byte(".VSwitchId")) && p.launch.VSwitchID == "" {
		p.launch.VSwitchID = p.r.text(v)
		return
	}
	rest, ok := bytes.CutPrefix(name, []byte("LaunchConfiguration."))
	if !ok {
		return
	}
	if p.group == nil {
		p.group = &launchReader{r: p.r, launch: new(fleet.Launch), failed: p.failed}
	}
	if string(rest) == "SystemDiskCategory" {
		rest = []byte("SystemDisk.Category")
	}
	p.group.read(rest, v)
}

// launchText returns where the value of a text parameter belongs, nil if no rule asks for it.
func launchText(l *fleet.Launch, name []byte) *string {
	switch string(name) {
	case "InstanceType":
		return &l.InstanceType
	case "ImageId":
		return &l.ImageID
	case "ImageFamily":
		return &l.ImageFamily
	case "SystemDisk.Category":
		return &l.SystemDiskCategory
	case "SystemDisk.KMSKeyId":
		return &l.SystemDiskKMSKeyID
	case "VSwitchId":
		return &l.VSwitchID
	case "RamRoleName":
		return &l.RAMRoleName
	case "SecurityOptions.TrustedSystemMode":
		return &l.TrustedSystemMode
	case "SecurityOptions.ConfidentialComputingMode":
		return &l.ConfidentialComputingMode
	case "SecurityEnhancementStrategy":
		return &l.SecurityEnhancementStrategy
	case "HttpTokens":
		return &l.HTTPTokens
	case "LaunchTemplateId":
		return &l.LaunchTemplateID
	case "LaunchTemplateName":
		return &l.LaunchTemplateName
	case "LaunchTemplateVersion":
		return &l.LaunchTemplateVersion
	}
	return nil
}

// networkInterface takes "N.VSwitchId" and "N.InstanceType". The latter is the
// interface's role, Primary or Secondary, not the type of the instance.
func (p *launchReader) networkInterface(rest []byte, v jsontext.Value) {
	number, member, _ := bytes.Cut(rest, []byte("."))
	n, err := strconv.Atoi(string(number))
	if err != nil || n < 1 || n > maxInterfaces {
		return
	}
	for len(p.interfaces) < n {
		p.interfaces = append(p.interfaces, networkInterface{})
	}
	switch string(member) {
	case "VSwitchId":
		p.interfaces[n-1].vSwitch = p.r.text(v)
	case "InstanceType":
		p.interfaces[n-1].role = p.r.text(v)
	}
}

func (p *launchReader) finish() *fleet.Launch {
	l := p.launch
	if p.group != nil && !l.FromTemplate() { // a template goes before LaunchConfiguration
		p.group.launch.VSwitchID = l.VSwitchID
		*l = *p.group.launch
	}
	l.Amount = p.amount
	if l.Amount == 0 {
		l.Amount = p.maxAmount
	}
	if l.VSwitchID == "" {
		l.VSwitchID = p.primaryVSwitch()
	}
	return l
}

// primaryVSwitch is that of the interface marked Primary, else of the first one
// that is not marked otherwise.
func (p *launchReader) primaryVSwitch() string {
	unmarked := ""
	for _, i := range p.interfaces {
		if i.role == "Primary" {
			return i.vSwitch
		}
		if i.role == "" && unmarked == "" {
			unmarked = i.vSwitch
		}
	}
	return unmarked
}

// maxDenied is how many disks of a failed launch are kept: an instance has 17.
const maxDenied = 17

// disk takes "SystemDisk.Member" and "DataDisk.N.Member".
func (p *launchReader) disk(name []byte, v jsontext.Value) {
	at := bytes.LastIndexByte(name, '.')
	if at < 0 || !bytes.Equal(name[:at], []byte("SystemDisk")) && !isDataDisk(name[:at]) {
		return
	}
	member := string(name[at+1:])
	if member != "Category" && member != "Encrypted" && !strings.EqualFold(member, "KMSKeyId") {
		return
	}
	d := p.denied(name[:at])
	switch {
	case d == nil:
	case member == "Category":
		d.Category = p.r.text(v)
	case member == "Encrypted":
		d.Encrypted = bytes.EqualFold(p.r.plain(v), []byte("true"))
	default:
		d.Key = len(p.r.plain(v)) > 0
	}
}

func isDataDisk(name []byte) bool {
	number, ok := bytes.CutPrefix(name, []byte("DataDisk."))
	n, err := strconv.Atoi(string(number))
	return ok && err == nil && n > 0
}

// denied is the disk of a name; nil when there are too many.
func (p *launchReader) denied(name []byte) *fleet.LaunchDisk {
	disks := p.launch.DeniedDisks
	for i := range disks {
		if disks[i].Name == string(name) {
			return &disks[i]
		}
	}
	if len(disks) == maxDenied {
		return nil
	}
	p.launch.DeniedDisks = append(disks, fleet.LaunchDisk{Name: string(name)})
	return &p.launch.DeniedDisks[len(disks)]
}

// number reads a count; 0 for what is none.
func (p *launchReader) number(v jsontext.Value) int {
	n, err := strconv.Atoi(string(p.r.plain(v)))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

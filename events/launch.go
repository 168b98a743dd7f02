package events

import (
	"bytes"
	"strconv"

	"fleetwarden/shared/fleet"

	"github.com/go-json-experiment/json/jsontext"
)

// launch reads RunInstances and CreateInstance.
func (r *reader) launch(ev Event, rec *record) (Event, error) {
	ev.Kind = KindLaunch
	ev.Call = r.call(&ev, rec)
	if ev.Call.ErrorCode == dryRun {
		ev.Ignored = "a dry run launches nothing"
		return ev, nil
	}
	ev.Call.Launch = r.launchParameters(rec)
	scope, err := ev.scope()
	if err != nil {
		return ev, err
	}
	ev.Refs, err = r.launched(rec, fleet.Ref{Scope: scope, Kind: fleet.KindInstance, Call: ev.Call})
	if len(ev.Refs) > 0 || err != nil {
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

// launched returns like with the id of each new instance: those of the response,
// else those that the record refers to. Its error is about ids that it left out.
func (r *reader) launched(rec *record, like fleet.Ref) ([]fleet.Ref, error) {
	ids := idReader{r: r, like: like}
	if rec.Response.there() {
		// What cannot be read holds no ids; the record's references remain.
		_ = flatten(r.src[rec.Response.from:rec.Response.to], ids.response)
	}
	if !ids.found && rec.Referenced.there() {
		_ = flatten(r.src[rec.Referenced.from:rec.Referenced.to], ids.referenced)
	}
	return ids.refs, ids.err
}

// idReader collects instance ids as refs.
type idReader struct {
	r     *reader
	like  fleet.Ref
	refs  []fleet.Ref
	found bool
	err   error
}

// response looks at a leaf of responseElements: RunInstances nests its ids,
// CreateInstance has one.
func (i *idReader) response(name []byte, v jsontext.Value) {
	if string(name) == "InstanceId" || bytes.HasPrefix(name, []byte("InstanceIdSets.InstanceIdSet")) {
		i.add("responseElements", v)
	}
}

func (i *idReader) referenced(name []byte, v jsontext.Value) {
	if bytes.HasPrefix(name, []byte("ACS::ECS::Instance.")) || string(name) == "ACS::ECS::Instance" {
		i.add("referencedResources", v)
	}
}

func (i *idReader) add(where string, v jsontext.Value) {
	id := plain(&i.r.scratch, v)
	if len(id) == 0 {
		return
	}
	i.found = true
	i.like.ID = i.r.keep(cut(id, maxText))
	if !validInstanceID(i.like.ID) {
		if i.err == nil {
			i.err = bad(where, i.like.ID)
		}
		return
	}
	i.refs = append(i.refs, i.like)
}

// launchParameters reads what rules ask of a launch; nil when the record has no
// parameters that can be read.
func (r *reader) launchParameters(rec *record) *fleet.Launch {
	p := launchReader{r: r, launch: new(fleet.Launch)}
	if !r.parameters(rec, p.visit) {
		return nil
	}
	return p.finish()
}

// maxInterfaces is how many network interfaces a launch is searched for its
// primary one.
const maxInterfaces = 8

type launchReader struct {
	r          *reader
	launch     *fleet.Launch
	amount     int
	maxAmount  int
	interfaces [maxInterfaces]struct{ vSwitch, role string }
}

func (p *launchReader) visit(name []byte, v jsontext.Value) {
	if text := launchText(p.launch, name); text != nil {
		*text = p.text(v)
		return
	}
	switch string(name) {
	case "UserData":
		p.launch.HasUserData = len(plain(&p.r.scratch, v)) > 0
	case "DryRun":
		p.launch.DryRun = bytes.EqualFold(plain(&p.r.scratch, v), []byte("true"))
	case "Amount":
		p.amount = p.number(v)
	case "MaxAmount": // the console's name for it
		p.maxAmount = p.number(v)
	default:
		if rest, ok := bytes.CutPrefix(name, []byte("NetworkInterface.")); ok {
			p.networkInterface(rest, v)
		}
	}
}

// launchText returns where the text parameter name belongs, nil if nobody asks
// for it.
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
	switch string(member) {
	case "VSwitchId":
		p.interfaces[n-1].vSwitch = p.text(v)
	case "InstanceType":
		p.interfaces[n-1].role = p.text(v)
	}
}

func (p *launchReader) finish() *fleet.Launch {
	l := p.launch
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

func (p *launchReader) text(v jsontext.Value) string {
	return p.r.keep(cut(plain(&p.r.scratch, v), maxText))
}

// number reads a count; 0 for what is none.
func (p *launchReader) number(v jsontext.Value) int {
	n, err := strconv.Atoi(string(plain(&p.r.scratch, v)))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

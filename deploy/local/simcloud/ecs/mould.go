package ecs

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
)

// mould is what the seeded instances of one kind share.
type mould struct {
	plan   *plan
	status status
	agent  string // one of Agents
	client bool   // the trust client is installed
}

// mould makes the mould for a fleet's instances that differ in one way. The
// caller holds the mutex.
func (s *Service) mould(sp *space, f FleetSpec, drift string) (*mould, error) {
	if d := drifts[drift]; d != nil {
		d(&f)
	}
	kind := typeOf(cmp.Or(f.InstanceType, "ecs.g7t.large"))
	if kind == nil {
		return nil, fmt.Errorf("no instance type %s", f.InstanceType)
	}
	img, err := s.mouldImage(sp, f, kind)
	if err != nil {
		return nil, err
	}
	at, ok := parseStatus(cmp.Or(f.Status, running.String()))
	if !ok {
		return nil, fmt.Errorf("no status %s", f.Status)
	}
	var ts []tag
	for _, k := range slices.Sorted(maps.Keys(f.Tags)) {
		ts = append(ts, tag{k, f.Tags[k]})
	}
	m := &mould{plan: f.launch(sp).seedPlan(kind, img, ts, f.Network == "classic"), status: at, agent: cmp.Or(f.Agent, "online")}
	if !slices.Contains(Agents(), m.agent) {
		return nil, fmt.Errorf("no agent %q, there are %q", m.agent, Agents())
	}
	if m.plan.guest, err = (Profile{f.Assistant, f.AssistantVersion, f.Commands}).guest(img); err != nil {
		return nil, err
	}
	script, err := base64.StdEncoding.DecodeString(f.UserData)
	m.client = err == nil && trusts(string(script))
	return m, nil
}

func (s *Service) mouldImage(sp *space, f FleetSpec, kind *instanceType) (*image, error) {
	usual := usualImage(kind.family)
	if f.OS == windowsOS {
		usual = windowsImage
	}
	img := s.image(sp, cmp.Or(f.Image, usual))
	if img == nil {
		return nil, fmt.Errorf("no image %s", f.Image)
	}
	if f.OS != "" && f.OS != img.os {
		return nil, fmt.Errorf("image %s is not for %s", img.id, f.OS)
	}
	return img, nil
}

const windowsImage = "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"

// usualImage is an image that suits a family.
func usualImage(f *family) string {
	switch {
	case f.trust == byImage:
		return "aliyun_2_1903_x64_20G_secured_alibase_20210120.vhd"
	case f.arch == "ARM":
		return "aliyun_3_arm64_20G_alibase_20230731.vhd"
	case f.trust == byMode:
		return "aliyun_3_x64_20G_uefi_alibase_20230727.vhd"
	default:
		return "aliyun_2_1903_x64_20G_alibase_20230103.vhd"
	}
}

func (f *FleetSpec) launch(sp *space) *launch {
	l := &launch{
		VSwitch: localVSwitch, Zone: zoneOf(sp.region), Groups: []string{localGroup}, Name: f.Name, UserData: f.UserData,
		Role: cmp.Or(f.Role, FleetRole), ResourceGroup: f.ResourceGroup, HTTPEndpoint: "enabled",
		HTTPTokens: cmp.Or(f.HTTPTokens, "required"), Charge: "PostPaid", Hardening: "Active", TrustedMode: "vTPM",
		System: launchDisk{Category: cmp.Or(f.SystemDisk, "cloud_essd"), Level: "PL1"},
	}
	if f.Role == "-" {
		l.Role = ""
	}
	if f.NoVTPM {
		l.TrustedMode = ""
	}
	return l
}

// seedPlan is plan for what the launch checks would not let through.
func (l *launch) seedPlan(kind *instanceType, img *image, ts []tag, classic bool) *plan {
	p := l.plan(kind, img, ts)
	if l.TrustedMode == "" {
		p.tags = p.tags.unset(supportVTPM.key)
	}
	if l.System.Category == NoDisk {
		p.system = nil
	}
	if classic {
		p.spec.classic, p.spec.vpc, p.spec.vswitch = true, "", ""
	}
	return p
}

// cast makes one instance. The caller holds the mutex.
func (s *Service) cast(sp *space, m *mould) *instance {
	i := s.create(sp, m.plan, 1)[0]
	i.status = m.status
	if i.status == stopped {
		i.mode = keepCharging
	}
	i.booted = i.status == running || i.status == stopped
	i.beat = i.booted && i.guest.assistant == present
	i.up = i.beat && i.status == running
	i.trustClient = m.client && i.booted
	s.security.Seeded(Machine{sp, i}, m.agent)
	return i
}

// announce raises the events that the Running ones of seeded instances would
// have raised.
func (s *Service) announce(sp *space, made []*instance) {
	var up []*instance
	for _, i := range made {
		if i.status == running {
			i.beat, i.up = false, false
			up = append(up, i)
		}
	}
	s.raise(sp, up, running)
	s.w.Clock.After(toHeartbeat, func() { s.heartbeat(sp, up) })
}

package sas

import (
	"slices"
	"time"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/wire"
)

// OperateAgentClientInstallRequest names instances by InstanceIds, for which
// Region and Os are needed as well, or by Uuids; both separated by commas.
type OperateAgentClientInstallRequest struct{ InstanceIds, Uuids, Region, Os string }

// OperateAgentClientInstallResponse is the answer of OperateAgentClientInstall;
// the vendor's spelling.
type OperateAgentClientInstallResponse struct {
	AegisCelintInstallResposeList []InstallResponse
}

// InstallResponse is an installation that has begun.
type InstallResponse struct {
	InstanceId, Uuid string
	RecordId         int64
}

// run is a one-click installation.
type run struct {
	started time.Time
	failed  string // ResuleCode; empty while it continues
}

// mostInstalls is how many instances a call takes. None is documented; assumed.
const mostInstalls = 100

// OperateAgentClientInstall installs agents through Cloud Assistant, with one
// click. Instances that Security Center does not know, or that are in another
// region or have another system than named, are left out of the answer
// (assumed); what else is wrong shows in DescribeAgentInstallStatus.
func (s *Service) OperateAgentClientInstall(c *wire.Call, in *OperateAgentClientInstallRequest) (*OperateAgentClientInstallResponse, error) {
	ids, uuids := split(in.InstanceIds), split(in.Uuids)
	switch {
	case len(ids)+len(uuids) == 0:
		return nil, invalid("InstanceIds and Uuids cannot be empty at the same time.")
	case len(ids) > 0 && (in.Region == "" || (in.Os != "linux" && in.Os != "windows")):
		return nil, invalid("InstanceIds need Region and Os, which is linux or windows.")
	case len(ids)+len(uuids) > mostInstalls:
		return nil, invalid("simcloud: more than %d instances.", mostInstalls)
	}
	machines := s.byUUID(c.Caller.Account, in.Uuids)
	for _, id := range ids {
		if m, ok := s.servers.Machine(c.Caller.Account, id); ok && m.Region() == in.Region && m.OS() == in.Os {
			machines = append(machines, m)
		}
	}
	out := &OperateAgentClientInstallResponse{AegisCelintInstallResposeList: []InstallResponse{}}
	for _, m := range machines {
		if s.assets[m.ID()].known {
			s.records++
			s.install(m)
			out.AegisCelintInstallResposeList = append(out.AegisCelintInstallResposeList, InstallResponse{m.ID(), uuid(m.ID()), s.records})
		}
	}
	return out, nil
}

// install begins an installation, or says at once why it fails. The caller holds
// the mutex.
func (s *Service) install(m ecs.Machine) {
	r := run{started: s.w.Clock.Now(), failed: s.refusal(m)}
	s.runs[m.ID()] = r
	if r.failed == "" {
		s.comeOnline(m.ID(), s.installTime(m))
	}
}

// installRegions are the documented values of Region.
var installRegions = []string{"cn-hangzhou", "cn-beijing", "cn-shanghai", "cn-zhangjiakou", "cn-shenzhen"}

// refusal is the documented ResuleCode of what is wrong with an instance.
func (s *Service) refusal(m ecs.Machine) string {
	a := s.assets[m.ID()]
	switch {
	case !slices.Contains(installRegions, m.Region()):
		return "1001"
	case !m.Running():
		return "1005"
	case m.Classic():
		return "1006"
	case a.client > never:
		return "1010"
	case !m.Assisted():
		return "1008"
	}
	return ""
}

// byUUID finds an account's instances by their uuids. The caller holds the mutex.
func (s *Service) byUUID(account, list string) []ecs.Machine {
	wanted := split(list)
	var found []ecs.Machine
	if len(wanted) == 0 {
		return nil
	}
	for _, region := range s.w.Regions {
		for _, m := range s.servers.Machines(account, region, 0) {
			if slices.Contains(wanted, uuid(m.ID())) {
				found = append(found, m)
			}
		}
	}
	return found
}

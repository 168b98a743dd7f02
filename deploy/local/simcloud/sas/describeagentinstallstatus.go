package sas

import (
	"time"

	"fleetwarden/deploy/local/simcloud/wire"
)

// DescribeAgentInstallStatusRequest names instances by their uuids, separated by
// commas. Instance ids do not work.
type DescribeAgentInstallStatusRequest struct{ Uuids string }

// DescribeAgentInstallStatusResponse is the answer of
// DescribeAgentInstallStatus.
type DescribeAgentInstallStatusResponse struct {
	AegisClientInvokeStatusResponseList []InstallStatus
}

// InstallStatus is where an installation is. Result is -1 for none, 0 while it
// continues, 1 for installed, 2 for failed; ResuleCode is the vendor's spelling.
type InstallStatus struct {
	Uuid, ResuleCode, Message string
	Result                    int
}

// statusLasts is how long after its start an installation can be asked for:
// documented.
const statusLasts = 2 * time.Minute

// DescribeAgentInstallStatus shows one-click installations that began within the
// last two minutes, whether or not they have ended.
func (s *Service) DescribeAgentInstallStatus(c *wire.Call, in *DescribeAgentInstallStatusRequest) (*DescribeAgentInstallStatusResponse, error) {
	out := &DescribeAgentInstallStatusResponse{AegisClientInvokeStatusResponseList: []InstallStatus{}}
	for _, m := range s.byUUID(c.Caller.Account, in.Uuids) {
		out.AegisClientInvokeStatusResponseList = append(out.AegisClientInvokeStatusResponseList, s.installStatus(m.ID()))
	}
	return out, nil
}

func (s *Service) installStatus(id string) InstallStatus {
	out := InstallStatus{Uuid: uuid(id), Result: -1, ResuleCode: "-1"}
	r, ok := s.runs[id]
	switch {
	case !ok || s.w.Clock.Now().Sub(r.started) > statusLasts:
	case r.failed != "":
		out.Result, out.ResuleCode, out.Message = 2, r.failed, "simcloud: failed"
	case s.assets[id].client == online:
		out.Result, out.ResuleCode = 1, "0"
	default:
		out.Result, out.ResuleCode = 0, "-1"
	}
	return out
}

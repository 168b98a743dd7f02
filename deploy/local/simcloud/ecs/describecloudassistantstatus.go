package ecs

import (
	"strconv"

	"fleetwarden/deploy/local/simcloud/wire"
)

// DescribeCloudAssistantStatusRequest names up to 50 instances, or none for all.
type DescribeCloudAssistantStatusRequest struct {
	InstanceId []string
	OSType     string
	CommandPaging
}

// DescribeCloudAssistantStatusResponse is the answer of
// DescribeCloudAssistantStatus.
type DescribeCloudAssistantStatusResponse struct {
	InstanceCloudAssistantStatusSet assistants
	Listed
}

type assistants struct{ InstanceCloudAssistantStatus []CloudAssistantStatus }

// CloudAssistantStatus is Cloud Assistant on one instance. CloudAssistantStatus
// is the string true or false; CloudAssistantVersion is empty where it is not
// installed.
type CloudAssistantStatus struct {
	InstanceId, CloudAssistantStatus, CloudAssistantVersion string
	LastHeartbeatTime, LastInvokedTime                      string
	ActiveTaskCount, InvocationCount                        int
	OSType                                                  string // Linux or Windows
	SupportSessionManager                                   bool
}

// DescribeCloudAssistantStatus lists Cloud Assistant by instance, also of
// instances that do not run (assumed). With ids, MaxResults has no effect: all
// are answered at once. Ids that do not exist are left out (assumed).
func (s *Service) DescribeCloudAssistantStatus(c *wire.Call, in *DescribeCloudAssistantStatusRequest) (*DescribeCloudAssistantStatusResponse, error) {
	if !oneOf(in.OSType, "Linux", "Windows", "FreeBSD") {
		return nil, invalid("InvalidParameter.OSType", "The specified OSType is not valid: %s.", in.OSType)
	}
	p, f := in.paging(), instanceFilter{DescribeInstancesRequest: &DescribeInstancesRequest{}}
	if len(in.InstanceId) > 0 {
		f.ids, p = unique(in.InstanceId), paging{number: 1, size: len(in.InstanceId)}
	}
	sp := s.at(c)
	found, page, err := list(f.candidates(sp), p, func(i *instance) bool { return same(in.OSType, osType(i)) }, func(i *instance) CloudAssistantStatus {
		return s.assistantStatus(sp, i)
	})
	return &DescribeCloudAssistantStatusResponse{assistants{found}, page}, err
}

func osType(i *instance) string {
	if i.spec.image.os == windowsOS {
		return "Windows"
	}
	return "Linux"
}

func (s *Service) assistantStatus(sp *space, i *instance) CloudAssistantStatus {
	now := s.w.Clock.Now()
	out := CloudAssistantStatus{
		InstanceId: i.id, CloudAssistantStatus: strconv.FormatBool(i.answers(now)), CloudAssistantVersion: i.guest.version,
		LastHeartbeatTime: exactTime(i.lastBeat(now)), OSType: osType(i), SupportSessionManager: i.answers(now),
	}
	if l := sp.load[i.id]; l != nil {
		out.ActiveTaskCount, out.InvocationCount, out.LastInvokedTime = l.active, l.count, exactTime(l.last)
	}
	return out
}

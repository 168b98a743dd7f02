package ecs

import (
	"time"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

// The documented batch sizes.
const (
	// maxInstanceIDs is for DescribeInstances, AttachInstanceRamRole and
	// DetachInstanceRamRole.
	maxInstanceIDs = 100
	// maxRoleIDs is for DescribeInstanceRamRole. Older pages say 100.
	maxRoleIDs = 50
	// maxDiskIDs is for DescribeDisks.
	maxDiskIDs = 100
)

// Client calls ECS for one pass.
type Client struct{ session *aliyun.Session }

// New returns a Client that counts its calls in session.
func New(session *aliyun.Session) *Client { return &Client{session} }

func api(region fleet.Region, action string) aliyun.API {
	return aliyun.API{Product: aliyun.ECS, Action: action, Region: region}
}

func write(region fleet.Region, action string) aliyun.API {
	return aliyun.API{Product: aliyun.ECS, Action: action, Region: region, Write: true}
}

// ecsTime is how ECS writes CreationTime: to the minute, in UTC.
const ecsTime = "2006-01-02T15:04Z"

func parseTime(s string) time.Time {
	for _, layout := range []string{ecsTime, time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

package ecs

import (
	"encoding/json"
	"fmt"
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
	a := api(region, action)
	a.Write = true
	return a
}

// idList is how ECS takes a list of ids: one string that holds a JSON array.
func idList(ids []string) (*string, error) {
	b, err := json.Marshal(ids)
	if err != nil {
		return nil, fmt.Errorf("writing a list of ids: %w", err)
	}
	return new(string(b)), nil
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

func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

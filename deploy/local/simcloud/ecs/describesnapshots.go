package ecs

import (
	"fmt"
	"slices"

	"fleetwarden/deploy/local/simcloud/wire"
)

// DescribeSnapshotsRequest holds the parameters of DescribeSnapshots that matter
// here.
type DescribeSnapshotsRequest struct {
	SnapshotIds                         []string
	SnapshotName, DiskId, InstanceId    string
	Encrypted, KMSKeyId, Status         string
	SnapshotType, SourceDiskType, Usage string
	DryRun                              bool
	Tag                                 []TagParam
	NextToken                           string
	MaxResults, PageNumber, PageSize    int
}

// DescribeSnapshotsResponse is the answer of DescribeSnapshots.
type DescribeSnapshotsResponse struct {
	Snapshots snapshotSet
	Listed
}

type snapshotSet struct{ Snapshot []SnapshotItem }

// SnapshotItem is a snapshot as DescribeSnapshots shows it. SourceDiskSize is a
// string.
type SnapshotItem struct {
	SnapshotId, SnapshotName, Description        string
	SourceDiskId, SourceDiskSize, SourceDiskType string
	SourceSnapshotId, SourceRegionId, RegionId   string
	Status, Progress, Usage, Category            string
	SnapshotType, CreationTime, LastModifiedTime string
	KMSKeyId                                     string
	Encrypted, Available, InstantAccess          bool
	Tags                                         TagSet
}

// DescribeSnapshots lists snapshots, the account's own and those shared with it,
// 10 to 100 a page by token or number. Documented: it can be asked for as
// snapshot/*.
func (s *Service) DescribeSnapshots(c *wire.Call, in *DescribeSnapshotsRequest) (*DescribeSnapshotsResponse, error) {
	ids, err := idList(in.SnapshotIds, "InvalidSnapshotIds.Malformed")
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		return nil, dryRun()
	}
	p := byToken(in.NextToken, in.MaxResults, 10, 100).byNumber(in.PageNumber, in.PageSize, 10, 100)
	sp := s.at(c)
	found, page, err := list(s.snapshots(sp), p, func(x *snapshot) bool {
		return (ids == nil || slices.Contains(ids, x.id)) && in.match(x) && (len(in.Tag) == 0 || s.tagsOf(sp, x).match(in.Tag))
	}, func(x *snapshot) SnapshotItem { return x.item(s.tagsOf(sp, x)) })
	return &DescribeSnapshotsResponse{snapshotSet{found}, page}, err
}

// match: the disks of all snapshots are gone here, so none is of an instance.
func (in *DescribeSnapshotsRequest) match(x *snapshot) bool {
	return same(in.SnapshotName, x.name) && same(in.DiskId, x.disk) && in.InstanceId == "" &&
		(in.Encrypted == "" || (in.Encrypted == "true") == (x.key != "")) && (in.KMSKeyId == "" || (in.KMSKeyId == x.key && !x.hideKey)) &&
		sameOrAll(in.Status, x.status()) && sameOrAll(in.SnapshotType, "user") &&
		(in.SourceDiskType == "" || (in.SourceDiskType == "System" || in.SourceDiskType == "system") == x.system) &&
		same(in.Usage, "none")
}

// tagsOf are a snapshot's tags with the system's: at the owner that it is shared,
// at the sharee where it comes from. The caller holds the mutex.
func (s *Service) tagsOf(sp *space, x *snapshot) tags {
	switch {
	case x.owner != sp.account:
		return tags{{"acs:ecs:sharedFrom:" + x.owner + ":" + x.region + ":" + x.id, ""}}
	case s.access.SharedAtAll(x.resource()):
		return x.tags.set(tag{"acs:ecs:isShared", "true"})
	}
	return x.tags
}

func (x *snapshot) status() string {
	if x.ready {
		return "accomplished"
	}
	return "progressing"
}

func (x *snapshot) item(ts tags) SnapshotItem {
	at := x.created.UTC().Format("2006-01-02T15:04:05Z")
	it := SnapshotItem{
		SnapshotId: x.id, SnapshotName: x.name, Description: x.description, SourceDiskId: x.disk, SourceDiskSize: fmt.Sprint(x.size),
		SourceDiskType: "data", SourceSnapshotId: x.source, SourceRegionId: x.sourceRegion, RegionId: x.region,
		Status: x.status(), Progress: "100%", Usage: "none", Category: "standard", SnapshotType: "user",
		CreationTime: at, LastModifiedTime: at, Encrypted: x.key != "", Available: x.ready, Tags: ts.response(),
	}
	if x.system {
		it.SourceDiskType = "system"
	}
	if !x.hideKey {
		it.KMSKeyId = x.key
	}
	if !x.ready {
		it.Progress = "50%"
	}
	return it
}

package ecs

import "fleetwarden/deploy/local/simcloud/wire"

// DescribeDisksRequest holds the parameters of DescribeDisks that matter here.
type DescribeDisksRequest struct {
	InstanceId                       string
	DiskIds                          []string
	DiskType, Category, Status       string
	Encrypted, KMSKeyId, SnapshotId  string
	ZoneId                           string
	DryRun                           bool
	Tag                              []TagParam
	NextToken                        string
	MaxResults, PageNumber, PageSize int
	DeleteWithInstance               string
}

// DescribeDisksResponse is the answer of DescribeDisks.
type DescribeDisksResponse struct {
	Disks diskSet
	Listed
}

type diskSet struct{ Disk []DiskItem }

// DiskItem is a disk as DescribeDisks shows it.
type DiskItem struct {
	DiskId, DiskName, InstanceId, Type         string
	Category, PerformanceLevel, Status, Device string
	RegionId, ZoneId, ImageId, KMSKeyId        string
	SourceSnapshotId, CreationTime             string
	Size                                       int
	Encrypted, DeleteWithInstance, Portable    bool
	Tags                                       TagSet
	OperationLocks                             struct{ OperationLock []struct{} }
}

// DescribeDisks lists disks: 10 to 500 a page by token, up to 100 by number.
// DiskIds is a real filter even as [], which finds nothing.
func (s *Service) DescribeDisks(c *wire.Call, in *DescribeDisksRequest) (*DescribeDisksResponse, error) {
	ids, err := idList(in.DiskIds, "InvalidDiskIds.Malformed")
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		return nil, dryRun()
	}
	p := byToken(in.NextToken, in.MaxResults, 10, 500).byNumber(in.PageNumber, in.PageSize, 10, 100)
	sp := s.at(c)
	found, page, err := list(in.candidates(sp, ids), p, in.match, func(d *disk) DiskItem { return d.item(sp) })
	return &DescribeDisksResponse{diskSet{found}, page}, err
}

// candidates are the rows to look at. An instance that does not exist has no
// disks (assumed).
func (in *DescribeDisksRequest) candidates(sp *space, ids []string) rows[disk] {
	if ids != nil {
		return named(ids, sp.disks.Get)
	}
	if in.InstanceId == "" {
		return sp.disks.After
	}
	if i := sp.instances.Get(in.InstanceId); i != nil {
		return these(i.disks())
	}
	return these[disk](nil)
}

func (in *DescribeDisksRequest) match(d *disk) bool {
	return (in.InstanceId == "" || (d.holder != nil && d.holder.id == in.InstanceId)) &&
		sameOrAll(in.DiskType, d.spec.kind()) && sameOrAll(in.Category, d.spec.category) && sameOrAll(in.Status, d.status()) &&
		(in.Encrypted == "" || (in.Encrypted == "true") == d.spec.encrypted) && same(in.KMSKeyId, d.spec.key) &&
		same(in.SnapshotId, d.spec.snapshot) && same(in.ZoneId, d.spec.zone) && d.tags.match(in.Tag) &&
		(in.DeleteWithInstance == "" || (in.DeleteWithInstance == "true") == !d.spec.stays)
}

// sameOrAll is same for parameters whose default is "all" or "All".
func sameOrAll(want, got string) bool { return want == "all" || want == "All" || same(want, got) }

// status is In_use or Available.
func (d *disk) status() string {
	if d.holder == nil {
		return "Available"
	}
	return "In_use"
}

func (d *disk) item(sp *space) DiskItem {
	x := d.spec
	it := DiskItem{
		DiskId: d.id, Type: x.kind(), Category: x.category, PerformanceLevel: x.level, Status: d.status(), Device: x.device,
		RegionId: sp.region, ZoneId: x.zone, ImageId: x.imageID, KMSKeyId: x.key, SourceSnapshotId: x.snapshot,
		CreationTime: d.created.UTC().Format("2006-01-02T15:04:05Z"), Size: x.size, Encrypted: x.encrypted,
		DeleteWithInstance: !x.stays, Portable: !x.system, Tags: d.tags.response(),
	}
	if d.holder != nil {
		it.InstanceId = d.holder.id
	}
	it.OperationLocks.OperationLock = []struct{}{}
	return it
}

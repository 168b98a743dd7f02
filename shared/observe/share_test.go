package observe_test

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/observe"
	"fleetwarden/shared/rampolicy"
)

// refusal is an error of the cloud.
type refusal struct{ class fleet.Class }

func (r refusal) Error() string      { return r.class.String() }
func (r refusal) Class() fleet.Class { return r.class }

// sharer is the cloud of an account that shares; fails holds errors by API and region.
type sharer struct {
	regions []fleet.Region
	shared  map[fleet.Region]map[fleet.Kind][]fleet.SharedResource
	images  map[fleet.Region][]fleet.OwnImage
	sharees map[string][]fleet.AccountID
	sealed  map[string]fleet.Encryption
	service string
	disk    string
	role    fleet.Role
	// policies are those that are not attached, by name.
	policies map[string]string
	fails    map[string]error
	asked    []string
	// served are the regions that Resource Sharing lists; nil for all. absent are known to
	// be without it.
	served, absent []fleet.Region
}

// resourceSharing is the sharer's, whose list of regions is its own.
type resourceSharing struct{ *sharer }

func (r resourceSharing) Regions(context.Context, fleet.Region) ([]fleet.Region, error) {
	served := r.served
	if served == nil {
		served = r.regions
	}
	return served, r.call("Served", "")
}

func (r resourceSharing) Absent(region fleet.Region) bool { return slices.Contains(r.absent, region) }

func (s *sharer) call(api string, region fleet.Region) error {
	s.asked = append(s.asked, strings.TrimSpace(api+" "+string(region)))
	if err := s.fails[api]; err != nil {
		return err
	}
	return s.fails[api+" "+string(region)]
}

func (s *sharer) Regions(context.Context, fleet.Region) ([]fleet.Region, error) {
	return s.regions, s.call("Regions", "")
}

func (s *sharer) Encryptions(_ context.Context, r fleet.Region, _ []string) (map[string]fleet.Encryption, error) {
	return s.sealed, s.call("Encryptions", r)
}

func (s *sharer) OwnImages(_ context.Context, r fleet.Region) ([]fleet.OwnImage, error) {
	return s.images[r], s.call("OwnImages", r)
}

func (s *sharer) ImageSharees(_ context.Context, r fleet.Region, id string) ([]fleet.AccountID, error) {
	return s.sharees[id], s.call("ImageSharees", r)
}

func (s *sharer) DiskUnderOwnKey(_ context.Context, r fleet.Region, service string) (string, error) {
	if service != "" && s.disk == "d-service" {
		return "", s.call("DiskUnderOwnKey", r)
	}
	return s.disk, s.call("DiskUnderOwnKey", r)
}

func (s *sharer) Shared(_ context.Context, r fleet.Region) (map[fleet.Kind][]fleet.SharedResource, error) {
	return s.shared[r], s.call("Shared", r)
}

func (s *sharer) ServiceKey(_ context.Context, r fleet.Region) (string, error) {
	return s.service, s.call("ServiceKey", r)
}

func (s *sharer) Role(_ context.Context, name string) (fleet.Role, error) {
	if name == fleet.DiskEncryptRole {
		return fleet.Role{Missing: true}, s.call("DiskRole", "")
	}
	return s.role, s.call("Role", "")
}

func (s *sharer) Policy(_ context.Context, p fleet.Policy) (string, error) {
	if doc, ok := s.policies[p.Name]; ok {
		return doc, s.call("Policy", "")
	}
	return "", cmp.Or[error](s.call("Policy", ""), refusal{fleet.NotFound})
}

func (s *sharer) RoleTags(context.Context, string) (map[string]string, error) {
	return map[string]string{"a": "b"}, s.call("RoleTags", "")
}

func (s *sharer) Directory(_ context.Context, folders []string, accounts []fleet.AccountID) (fleet.Directory, error) {
	d := fleet.Directory{ID: "rd-1", Folders: map[string]fleet.Fact[string]{}, Members: map[fleet.AccountID]fleet.Fact[string]{}}
	for _, f := range folders {
		d.Folders[f] = fleet.See("rd-1/r-1/" + f)
	}
	for _, a := range accounts {
		d.Members[a] = fleet.See("rd-1/r-1")
	}
	return d, s.call("Directory", "")
}

func newSharer() *sharer {
	return &sharer{
		regions: []fleet.Region{"cn-hangzhou", "cn-shanghai"},
		shared: map[fleet.Region]map[fleet.Kind][]fleet.SharedResource{"cn-shanghai": {
			fleet.KindSnapshotShare: {{Region: "cn-shanghai", ID: "s-1", Sharees: []fleet.Sharee{{Kind: fleet.ShareeAccount, ID: "2"}}}},
			fleet.KindImageShare:    {{Region: "cn-shanghai", ID: "m-2", Sharees: []fleet.Sharee{{Kind: fleet.ShareeFolder, ID: "fd-1"}}}},
		}},
		images: map[fleet.Region][]fleet.OwnImage{
			"cn-hangzhou": {{ID: "m-1", Shared: true, Sealed: []string{"s-3"}}, {ID: "m-plain", Shared: true}, {ID: "m-alone", Sealed: []string{"s-3"}}},
			"cn-shanghai": {{ID: "m-2", Sealed: []string{"s-4"}}},
		},
		sharees: map[string][]fleet.AccountID{"m-1": {"3"}},
		sealed:  map[string]fleet.Encryption{"s-1": {Encrypted: true, Key: "k-1"}, "s-3": {Encrypted: true, Key: "k-service"}, "s-4": {Encrypted: true}},
		service: "k-service", fails: map[string]error{},
	}
}

func shares(s *sharer) observe.Shares {
	return observe.Shares{ECS: s, Sharing: resourceSharing{s}, Keys: s, Roles: s, Directory: s, Home: "cn-hangzhou",
		Named: func(id fleet.AccountID) bool { return id == "2" }, Now: func() time.Time { return noon }}
}

func sides(kinds ...fleet.Kind) fleet.Batch {
	b := fleet.Batch{Scope: fleet.Scope{Account: "1"}}
	for _, k := range kinds {
		b.Refs = append(b.Refs, fleet.Ref{Scope: b.Scope, Kind: k})
	}
	return b
}

func seen(t *testing.T, o observe.Shares, b fleet.Batch) *fleet.ShareWorld {
	t.Helper()
	w, err := o.Observe(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func key(region fleet.Region, id string, service bool) fleet.Fact[[]fleet.KMSKey] {
	return fleet.See([]fleet.KMSKey{{Account: "1", Region: region, ID: id, Service: fleet.See(service)}})
}

func TestSharesOfAllRegionsAreReadWithTheirKeys(t *testing.T) {
	w := seen(t, shares(newSharer()), sides(fleet.KindSnapshotShare, fleet.KindImageShare))
	account := func(id string) []fleet.Sharee { return []fleet.Sharee{{Kind: fleet.ShareeAccount, ID: id}} }
	snapshots := []fleet.ShareRegion{{Region: "cn-hangzhou"}, {Region: "cn-shanghai", Resources: []fleet.SharedResource{
		{Region: "cn-shanghai", ID: "s-1", Keys: key("cn-shanghai", "k-1", false), Sharees: account("2")}}}}
	images := []fleet.ShareRegion{
		{Region: "cn-hangzhou", Resources: []fleet.SharedResource{{Region: "cn-hangzhou", ID: "m-1", Keys: key("cn-hangzhou", "k-service", true), Sharees: account("3")}}},
		{Region: "cn-shanghai", Resources: []fleet.SharedResource{{Region: "cn-shanghai", ID: "m-2", Keys: key("cn-shanghai", "", true), Sharees: []fleet.Sharee{{Kind: fleet.ShareeFolder, ID: "fd-1"}}}}},
	}
	if diff := gocmp.Diff([][]fleet.ShareRegion{snapshots, images}, [][]fleet.ShareRegion{w.Sides[0].Regions.V, w.Sides[1].Regions.V}); diff != "" {
		t.Error(diff)
	}
	if w.At != noon || !w.Directory.Seen() || w.Directory.V.Folders["fd-1"].V == "" || w.Sides[0].Tags.V["a"] != "b" {
		t.Errorf("got %+v", w)
	}
}

func TestARegionThatCannotBeReadIsMarkedAndOthersAreRead(t *testing.T) {
	for _, api := range []string{"Shared cn-hangzhou", "OwnImages cn-hangzhou", "ImageSharees cn-hangzhou"} {
		for _, class := range []fleet.Class{fleet.Denied, fleet.Unavailable} {
			s := newSharer()
			s.fails[api] = refusal{class}
			w := seen(t, shares(s), sides(fleet.KindImageShare))
			r := w.Sides[0].Regions.V
			if r[0].Unread == "" || r[1].Unread != "" || len(r[1].Resources) != 1 {
				t.Errorf("%s %s: %+v", api, class, r)
			}
		}
	}
}

// asks counts the calls of an API in a region.
func (s *sharer) asks(api string, region fleet.Region) (n int) {
	for _, a := range s.asked {
		if a == api+" "+string(region) {
			n++
		}
	}
	return n
}

func TestWhereResourceSharingIsNotServedItIsNotAsked(t *testing.T) {
	for name, c := range map[string]struct {
		served, absent []fleet.Region
		unlisted       bool
		noList         bool
	}{
		"as it lists":                      {served: []fleet.Region{"cn-hangzhou", "cn-shanghai"}, unlisted: true},
		"as it lists, and is known":        {served: []fleet.Region{"cn-hangzhou", "cn-shanghai"}, absent: []fleet.Region{"cn-nanjing"}},
		"as is known, while it cannot say": {absent: []fleet.Region{"cn-nanjing"}, noList: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSharer()
			s.regions, s.served, s.absent = append(s.regions, "cn-nanjing"), c.served, c.absent
			s.images["cn-nanjing"] = []fleet.OwnImage{{ID: "m-3", Shared: true, Sealed: []string{"s-3"}}}
			s.sharees["m-3"] = []fleet.AccountID{"3"}
			s.fails["Shared cn-nanjing"] = refusal{fleet.Unavailable}
			if c.noList {
				s.fails["Served"] = refusal{fleet.Throttled}
			}
			w := seen(t, shares(s), sides(fleet.KindSnapshotShare, fleet.KindImageShare))
			for _, side := range w.Sides {
				r := side.Regions.V[2]
				if r.Region != "cn-nanjing" || r.Unread != "" || r.Unlisted != c.unlisted {
					t.Errorf("%s: got %+v", side.Ref.Kind, r)
				}
				if images := side.Ref.Kind == fleet.KindImageShare; images != (len(r.Resources) == 1) {
					t.Errorf("%s: got %+v", side.Ref.Kind, r.Resources)
				}
			}
			if s.asks("Shared", "cn-nanjing") > 0 || s.asks("Shared", "cn-shanghai") != 1 {
				t.Errorf("asked %v", s.asked)
			}
		})
	}
}

func TestADeniedListOfRegionsLeavesUnknownWhereSharesMayBe(t *testing.T) {
	s := newSharer()
	s.regions, s.absent = append(s.regions, "cn-nanjing"), []fleet.Region{"cn-nanjing"}
	s.fails["Served"] = refusal{fleet.Denied}
	r := seen(t, shares(s), sides(fleet.KindSnapshotShare)).Sides[0].Regions.V
	if r[0].Unread == "" || r[1].Unread == "" || r[2].Unread != "" || s.asks("Shared", "cn-hangzhou") > 0 {
		t.Errorf("got %+v", r)
	}
}

func TestAListedRegionIsAskedThoughItWasOnceKnownToBeWithout(t *testing.T) {
	s := newSharer()
	s.absent = []fleet.Region{"cn-shanghai"}
	w := seen(t, shares(s), sides(fleet.KindSnapshotShare))
	if r := w.Sides[0].Regions.V[1]; len(r.Resources) != 1 || r.Unlisted || s.asks("Shared", "cn-shanghai") != 1 {
		t.Errorf("got %+v", r)
	}
}

func TestADeniedShareReadIsUnknown(t *testing.T) {
	s := newSharer()
	for _, api := range []string{"Encryptions", "RoleTags", "Directory", "DiskUnderOwnKey", "DiskRole"} {
		s.fails[api] = refusal{fleet.Denied}
	}
	w := seen(t, shares(s), sides(fleet.KindImageShare, fleet.KindSnapshotShare))
	if w.Directory.Known() || w.CMKDisk.Known() || w.DiskRole.Known() || w.Sides[0].Tags.Known() || w.Sides[1].Regions.V[1].Resources[0].Keys.Known() {
		t.Errorf("got %+v", w)
	}
	s = newSharer()
	s.fails["ServiceKey"] = refusal{fleet.Denied}
	if k := seen(t, shares(s), sides(fleet.KindSnapshotShare)).Sides[0].Regions.V[1].Resources[0].Keys; !k.Known() || k.V[0].Service.Known() {
		t.Errorf("got %+v", k)
	}
	s.fails["Regions"], s.fails["Role"] = refusal{fleet.Denied}, refusal{fleet.Denied}
	if side := seen(t, shares(s), sides(fleet.KindSnapshotShare)).Sides[0]; side.Regions.Known() || side.Role.Known() {
		t.Errorf("got %+v", side)
	}
}

func TestAPassWithoutBudgetEnds(t *testing.T) {
	for _, api := range []string{"Regions", "Shared", "OwnImages", "ImageSharees", "Encryptions", "ServiceKey", "Role", "RoleTags", "DiskUnderOwnKey", "Directory", "Policy"} {
		s := newSharer()
		s.fails[api] = refusal{fleet.OutOfBudget}
		if _, err := shares(s).Observe(t.Context(), sides(fleet.KindImageShare, fleet.KindSnapshotShare)); fleet.ClassOf(err) != fleet.OutOfBudget {
			t.Errorf("%s: %v", api, err)
		}
	}
}

func TestTheImagesOfFailedSharesAreReadIfTheyAreOurs(t *testing.T) {
	b := sides(fleet.KindImageShare)
	b.Refs[0].Call = &fleet.Call{ErrorCode: fleet.AssumeRoleError, Share: &fleet.Share{ImageID: "m-alone",
		Also: []fleet.FailedShare{{ImageID: "m-of-another"}, {ImageID: "m-2"}, {ImageID: ""}}}}
	var ids []string
	for _, c := range seen(t, shares(newSharer()), b).Sides[0].Claimed {
		if ids = append(ids, c.ID); !c.Keys.Seen() {
			t.Errorf("got %+v", c)
		}
	}
	if diff := gocmp.Diff([]string{"m-alone", "m-2"}, ids); diff != "" {
		t.Error(diff)
	}
	b.Refs[0].Call.ErrorCode = ""
	if c := seen(t, shares(newSharer()), b).Sides[0].Claimed; c != nil {
		t.Errorf("of a share that did not fail: %+v", c)
	}
}

func TestAccountsOfAllFailedSharesAreLookedUpInTheDirectory(t *testing.T) {
	o := shares(newSharer())
	o.AsksDirectory = true
	b := sides(fleet.KindImageShare)
	b.Refs[0].Call = &fleet.Call{ErrorCode: fleet.AssumeRoleError, Share: &fleet.Share{Add: []fleet.AccountID{"7"}, Also: []fleet.FailedShare{{Accounts: []fleet.AccountID{"8"}}}}}
	if d := seen(t, o, b).Directory.V; !d.Members["7"].Known() || !d.Members["8"].Known() {
		t.Errorf("got %+v", d.Members)
	}
}

func TestADiskUnderTheServiceKeyNeedsNoRole(t *testing.T) {
	for disk, want := range map[string]string{"d-own": "d-own", "d-service": "", "": ""} {
		s := newSharer()
		s.disk = disk
		w := seen(t, shares(s), sides(fleet.KindSnapshotShare))
		if w.CMKDisk != fleet.See(want) || w.DiskRole.Known() != (want != "") {
			t.Errorf("%s: %+v, %+v", disk, w.CMKDisk, w.DiskRole)
		}
	}
	s := newSharer()
	seen(t, shares(s), sides(fleet.KindImageShare))
	if s.asks("DiskUnderOwnKey", "cn-hangzhou") > 0 {
		t.Error("disks were read for images")
	}
}

// Whether the policy approves an account by its place depends on the directory, shared with
// or not.
func TestAccountsThatARoleTrustsAreLookedUpInTheDirectory(t *testing.T) {
	s := newSharer()
	s.role.Trust = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["1000000000000007@ecs.aliyuncs.com"]}},
		{"Effect":"Allow","Action":"sts:*","Principal":{"Service":["1000000000000008@ecs.aliyuncs.com","1000000000000009@fc.aliyuncs.com","*@ecs.aliyuncs.com"]}}]}`
	o := shares(s)
	o.AsksDirectory = true
	d := seen(t, o, sides(fleet.KindSnapshotShare)).Directory.V
	if !d.Members["1000000000000007"].Known() || !d.Members["1000000000000008"].Known() || d.Members["1000000000000009"].Known() {
		t.Errorf("got %+v", d.Members)
	}
	o.AsksDirectory = false
	if seen(t, o, sides(fleet.KindSnapshotShare)).Directory.Known() {
		t.Error("no policy asks for it")
	}
}

func TestTheDirectoryIsReadOnlyIfAPolicyOrShareRefersToIt(t *testing.T) {
	s := newSharer()
	if w := seen(t, shares(s), sides(fleet.KindSnapshotShare)); w.Directory.Known() || slices.Contains(s.asked, "Directory") {
		t.Errorf("got %+v", w.Directory)
	}
	o := shares(s)
	o.AsksDirectory, o.Folders = true, []string{"fd-9"}
	w := seen(t, o, sides(fleet.KindSnapshotShare, fleet.KindImageShare))
	if d := w.Directory.V; d.Folders["fd-9"].V == "" || !d.Members["3"].Known() || d.Members["2"].Known() {
		t.Errorf("got %+v", d)
	}
}

// A name that another policy has would be refused at each pass.
func TestNamesOfKeyPoliciesThatAreTakenAreFoundUpToTheFirstFree(t *testing.T) {
	const foreign = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:*","Resource":"*"}]}`
	ours := rampolicy.KeyPolicy(rampolicy.Keys{"acs:kms:cn-shanghai:1000000000000001:key/k-9"})
	for name, x := range map[string]struct {
		there    map[string]string
		attached []fleet.Policy
		want     []string
		asked    int
	}{
		"none":              {nil, nil, nil, 1},
		"the first":         {map[string]string{"fleetwarden-share-snapshot-1": foreign}, nil, []string{"fleetwarden-share-snapshot-1"}, 2},
		"the first is ours": {map[string]string{"fleetwarden-share-snapshot-1": ours}, nil, nil, 1},
		"the second":        {map[string]string{"fleetwarden-share-snapshot-2": foreign}, []fleet.Policy{{Name: "fleetwarden-share-snapshot-1", Document: foreign}}, []string{"fleetwarden-share-snapshot-2"}, 2},
		"none is needed":    {nil, []fleet.Policy{{Name: "fleetwarden-share-snapshot-1", Document: rampolicy.KeyPolicy(rampolicy.Keys{"acs:kms:cn-shanghai:1000000000000001:key/k-1"})}}, nil, 0},
		"of the other kind": {map[string]string{"fleetwarden-share-image-1": foreign}, nil, nil, 1},
		"all that are asked for": {func() map[string]string {
			out := map[string]string{}
			for n := range 30 {
				out[fleet.KeyPolicyName(fleet.KindSnapshotShare, n+1)] = foreign
			}
			return out
		}(), nil, func() (out []string) {
			for n := range 20 {
				out = append(out, fleet.KeyPolicyName(fleet.KindSnapshotShare, n+1))
			}
			return out
		}(), 20},
	} {
		s := newSharer()
		s.policies, s.role.Policies = x.there, x.attached
		b := sides(fleet.KindSnapshotShare)
		b.Scope.Account = "1000000000000001"
		side := seen(t, shares(s), b).Sides[0]
		asked := 0
		for _, api := range s.asked {
			if api == "Policy" {
				asked++
			}
		}
		if diff := gocmp.Diff(x.want, side.Taken.V); diff != "" || asked != x.asked {
			t.Errorf("%s: asked %d times: %s", name, asked, diff)
		}
	}
}

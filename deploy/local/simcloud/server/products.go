package server

import (
	"net/http"
	"strings"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/access"
	"fleetwarden/deploy/local/simcloud/actiontrail"
	"fleetwarden/deploy/local/simcloud/cms"
	"fleetwarden/deploy/local/simcloud/dm"
	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/eventbridge"
	"fleetwarden/deploy/local/simcloud/kms"
	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/oss"
	"fleetwarden/deploy/local/simcloud/ram"
	"fleetwarden/deploy/local/simcloud/resourcemanager"
	"fleetwarden/deploy/local/simcloud/resourcesharing"
	"fleetwarden/deploy/local/simcloud/robots"
	"fleetwarden/deploy/local/simcloud/sas"
	"fleetwarden/deploy/local/simcloud/servicerole"
	"fleetwarden/deploy/local/simcloud/sls"
	"fleetwarden/deploy/local/simcloud/sts"
	"fleetwarden/deploy/local/simcloud/wire"
)

// rest is a product with a protocol of its own, such as MNS.
type rest struct {
	owns    func(*http.Request) bool
	handler http.Handler
}

// digest is one product's part of the world's digest: all of its resources'
// state in a fixed order, without times and request ids. It takes the World's
// mutex itself.
type digest struct {
	product string
	state   func() any
}

// build makes the world and its products.
func build(o Options) (*Server, error) {
	clock := simcloud.NewClock(o.start())
	if o.Regions == nil {
		o.Regions = []string{Home, Another}
	}
	world := simcloud.NewWorld(clock, []string{Sharer, Sharee, Member}, o.Regions)
	s := &Server{World: world, Faults: &simcloud.Faults{}, Log: &wire.Log{}}
	var err error
	if s.RAM, err = ram.New(ram.Options{World: world, Propagation: o.Propagation, TagLists: o.TagLists}); err != nil {
		return nil, err
	}
	if err := people(s.RAM); err != nil {
		return nil, err
	}
	s.STS = sts.New(s.RAM, nil)
	s.KMS = kms.New(world)
	s.ECS = ecs.New(world, s.RAM, ecsKeys{s.KMS})
	s.Directory = resourcemanager.New(world)
	s.Access = &access.Access{RAM: s.RAM, KMS: s.KMS, Directory: s.Directory}
	s.Sharing = resourcesharing.New(world, s.ECS, s.Access)
	s.Access.Shares = s.Sharing
	s.ECS.SetAccess(s.Access)
	s.SAS = sas.New(world, s.ECS)
	s.ECS.SetSecurity(s.SAS)
	s.Trail = actiontrail.New(actiontrail.Options{World: world, Latency: o.TrailLatency})
	s.Keys = keys{s.RAM, s.STS}
	s.Router, err = wire.NewRouter(wire.Options{
		World: world, Keys: s.Keys, Authorizer: s.RAM, Trail: s.Trail,
		Faults: s.Faults, Log: s.Log, Quotas: o.Quotas, Witness: s.witness, Seen: s.seen, Expire: s.STS.Expire,
	})
	if err != nil {
		return nil, err
	}
	if s.ServiceRoles, err = servicerole.New(s.RAM, world.Accounts); err != nil {
		return nil, err
	}
	s.MNS = mns.New(world)
	s.EventBridge = eventbridge.New(eventbridge.Options{World: world, Faults: s.Faults, Queues: s.MNS, Roles: s.ServiceRoles, Access: s.RAM})
	s.OSS = oss.New(world)
	s.SLS = sls.New(world)
	s.Mail = dm.New(world)
	s.Mail.AddSender(Sharer, Home, Sender, false)
	s.Robots = robots.New(world)
	for _, r := range startRobots() {
		if err := s.addRobot(r); err != nil {
			return nil, err
		}
	}
	return s, s.plug()
}

// plug connects the products: an RPC product at the router, a REST product in s.rest, the
// state of each in s.digests.
func (s *Server) plug() error {
	for _, p := range []struct {
		code    string
		product any
	}{
		{"ram", s.RAM},
		{"sts", s.STS},
		{"kms", s.KMS},
		{"actiontrail", s.Trail},
		{"ecs", s.ECS},
		{"sas", s.SAS},
		{"resourcemanager", s.Directory},
		{"resourcemanager", s.ServiceRoles},
		{"resourcesharing", s.Sharing},
		{"eventbridge", s.EventBridge},
		{"mns-open", &mns.Open{Service: s.MNS}},
		{"cms", &cms.Monitor{Queues: s.MNS}},
		{"dm", s.Mail},
	} {
		if err := s.Router.Register(p.code, p.product); err != nil {
			return err
		}
	}
	s.rest = []rest{
		{mns.Owns, &mns.Handler{Service: s.MNS, Keys: s.Keys, Authorizer: s.RAM, Faults: s.Faults, Log: s.Log, Witness: s.witness}},
		{sls.Owns, &sls.Handler{Service: s.SLS, Keys: s.Keys, Authorizer: s.RAM, Faults: s.Faults, Log: s.Log, Witness: s.witness}},
		{oss.Owns, &oss.Handler{Service: s.OSS, Keys: s.Keys, Authorizer: s.RAM, Faults: s.Faults, Log: s.Log, Witness: s.witness}},
		{robots.Owns, &robots.Handler{Service: s.Robots, Faults: s.Faults, Log: s.Log, Witness: s.witness}},
	}
	s.digests = []digest{
		{"ram", s.RAM.State},
		{"kms", s.KMS.State},
		{"ecs", s.ECS.State},
		{"cloudassistant", s.ECS.Commands},
		{"images", s.ECS.Images},
		{"snapshots", s.ECS.Snapshots},
		{"resourcemanager", s.Directory.State},
		{"resourcesharing", s.Sharing.State},
		{"sas", s.SAS.State},
		{"mns", s.MNS.State},
		{"actiontrail", s.Trail.State},
		{"oss", s.OSS.State},
	}
	return nil
}

// people makes the start world's users: an administrator in each account.
func people(r *ram.RAM) error {
	for account, key := range map[string]string{Sharer: "local", Sharee: "sharee", Member: "member"} {
		if err := r.AddUser(account, key, key+"-ak", key+"-sk", "AdministratorAccess"); err != nil {
			return err
		}
	}
	return nil
}

// keys asks STS for temporary keys and RAM for all others.
type keys struct {
	ram *ram.RAM
	sts *sts.STS
}

// Key implements wire.Keys.
func (k keys) Key(id, token string) (string, wire.Identity, error) {
	if strings.HasPrefix(id, "STS.") {
		return k.sts.Key(id, token)
	}
	return k.ram.Key(id, token)
}

package ecs

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
)

// Names that a seeded fleet uses.
const (
	// FleetRole is the role of a fleet's instances. RAM does not get it from
	// here.
	FleetRole = "AliyunECSInstanceForYundunSysTrustRole"
	// WrongRole is the role of those that drifted to another one.
	WrongRole = "app-role"
	// NoDisk as SystemDisk makes instances without a system disk, which the cloud
	// does not sell; such an answer must not be taken for a good disk.
	NoDisk = "none"
)

// FleetSpec is a fleet to seed: instances that are there, Running, without
// having been launched. Empty fields mean a sound trusted fleet: ecs.g7t.large,
// a UEFI image, cloud_essd, the system tag, FleetRole, metadata tokens required.
type FleetSpec struct {
	Count int `json:"count"`
	// Account and Region are the world's first if empty.
	Account      string `json:"account"`
	Region       string `json:"region"`
	InstanceType string `json:"instanceType"`
	Image        string `json:"image"`
	// Drift is the share of instances, 0 to 1, that differ in one way: noRole,
	// wrongRole, badDisk (cloud_efficiency), badImage (BIOS), noVtpm, imdsOpen,
	// stopped, classic, noAgent (uninstalled), agentOffline (installed but
	// down), noAssistant (neither agent nor Cloud Assistant). The numbers are exact, no instance differs in two ways,
	// and the drifted are spread evenly.
	Drift map[string]float64 `json:"drift"`
	// Events raises StateChange Running and, later, FirstHeartbeat for each.
	Events bool `json:"events"`
	// Tags are added to all; system tags are welcome, such as Container Service's.
	Tags map[string]string `json:"tags"`
	// Role replaces FleetRole; "-" is no role.
	Role string `json:"role"`
	// Network is vpc (default) or classic.
	Network string `json:"network"`
	// Status is Running (default), Stopped, Pending, …
	Status string `json:"status"`
	// SystemDisk is the category, default cloud_essd, or NoDisk.
	SystemDisk string `json:"systemDisk"`
	// HTTPTokens is required (default) or optional.
	HTTPTokens string `json:"httpTokens"`
	// UserData is Base64.
	UserData      string `json:"userData"`
	ResourceGroup string `json:"resourceGroup"`
	Name          string `json:"name"`
	// OS is linux or windows, and then a public image for it; empty: what the
	// image says.
	OS string `json:"os"`
	// Agent is Security Center's agent, one of Agents; default online.
	Agent string `json:"agent"`
	// Assistant is Cloud Assistant: running (default), silent or absent.
	Assistant string `json:"assistant"`
	// AssistantVersion is Cloud Assistant's version, default that of new images.
	AssistantVersion string `json:"assistantVersion"`
	// Commands is what becomes of commands, default that they succeed.
	Commands Outcome `json:"commands"`
	// NoVTPM leaves the system tag of trusted instances out.
	NoVTPM bool `json:"noVtpm"`
}

// Fleet is what was seeded.
type Fleet struct {
	IDs []string `json:"-"`
	// Drifted holds the ids of each way to differ.
	Drifted map[string][]string `json:"drifted"`
}

// drifts are the ways to differ.
var drifts = map[string]func(*FleetSpec){
	"noRole":    func(f *FleetSpec) { f.Role = "-" },
	"wrongRole": func(f *FleetSpec) { f.Role = WrongRole },
	"badDisk":   func(f *FleetSpec) { f.SystemDisk = "cloud_efficiency" },
	"badImage":  func(f *FleetSpec) { f.Image = "aliyun_2_1903_x64_20G_alibase_20230103.vhd" },
	"noVtpm":    func(f *FleetSpec) { f.NoVTPM = true },
	"imdsOpen":  func(f *FleetSpec) { f.HTTPTokens = "optional" },
	"stopped":   func(f *FleetSpec) { f.Status = stopped.String() },
	"classic":   func(f *FleetSpec) { f.Network = "classic" },

	"noAgent":      func(f *FleetSpec) { f.Agent = "uninstalled" },
	"agentOffline": func(f *FleetSpec) { f.Agent = "offline" },
	"noAssistant":  func(f *FleetSpec) { f.Agent, f.Assistant = "uninstalled", "absent" },
}

// Drifts names the ways in which FleetSpec.Drift lets instances differ, sorted.
func Drifts() []string {
	return slices.Sorted(maps.Keys(drifts))
}

// SeedFleet puts a fleet into the world. It is fast and small enough for 100,000
// instances.
func (s *Service) SeedFleet(f FleetSpec) (*Fleet, error) {
	kinds, err := f.kinds()
	if err != nil {
		return nil, err
	}
	return seed(s, f.Account, f.Region, func(sp *space) (*Fleet, error) { return s.seedFleet(sp, f, kinds) })
}

func (s *Service) seedFleet(sp *space, f FleetSpec, kinds []string) (*Fleet, error) {
	out := &Fleet{IDs: make([]string, 0, f.Count), Drifted: map[string][]string{}}
	moulds := map[string]*mould{}
	for _, k := range append(slices.Sorted(maps.Keys(f.Drift)), "") {
		m, err := s.mould(sp, f, k)
		if err != nil {
			return nil, fmt.Errorf("seeding a fleet: %w", err)
		}
		moulds[k] = m
	}
	sp.instances.Grow(f.Count)
	sp.disks.Grow(f.Count)
	made := make([]*instance, 0, f.Count)
	for _, kind := range kinds {
		i := s.cast(sp, moulds[kind])
		made = append(made, i)
		out.IDs = append(out.IDs, i.id)
		if kind != "" {
			out.Drifted[kind] = append(out.Drifted[kind], i.id)
		}
	}
	if f.Events {
		s.announce(sp, made)
	}
	return out, nil
}

// mostSeeded bounds a fleet to what fits into memory and private addresses.
const mostSeeded = 1_000_000

// kinds says of each instance in turn how it differs; "" for not at all.
func (f *FleetSpec) kinds() ([]string, error) {
	if f.Count < 0 || f.Count > mostSeeded {
		return nil, fmt.Errorf("seeding a fleet: count %d, want 0 to %d", f.Count, mostSeeded)
	}
	kinds := make([]string, f.Count)
	next := 0
	for _, name := range slices.Sorted(maps.Keys(f.Drift)) {
		if drifts[name] == nil {
			return nil, fmt.Errorf("seeding a fleet: no drift %q, there are %q", name, Drifts())
		}
		n := int(math.Round(f.Drift[name] * float64(f.Count)))
		if n < 0 || next+n > f.Count {
			return nil, fmt.Errorf("seeding a fleet: drift adds up to more than all")
		}
		for range n {
			kinds[spread(next, f.Count)] = name
			next++
		}
	}
	return kinds, nil
}

// spread is a fixed permutation of 0 … n-1 that scatters neighbours.
func spread(i, n int) int {
	step := int(float64(n)*0.618) | 1
	for gcd(step, n) != 1 {
		step += 2
	}
	return i * step % n
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// seed calls f with a space to seed into, and with the mutex held. Account and region are
// the world's first if empty.
func seed[T any](s *Service, account, region string, f func(*space) (T, error)) (out T, err error) {
	sp := s.spaces[where{cmp.Or(account, s.w.Accounts[0]), cmp.Or(region, s.w.Regions[0])}]
	if sp == nil {
		return out, fmt.Errorf("seeding: no account %s or no region %s in this world", account, region)
	}
	s.w.Lock()
	defer s.w.Unlock()
	return f(sp)
}

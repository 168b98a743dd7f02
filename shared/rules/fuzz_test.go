package rules_test

import (
	"testing"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rampolicy"
	"fleetwarden/shared/rules/instances"
)

// FuzzDecide feeds what comes from outside: the cloud's words about an instance and
// its role, and anybody's about a launch.
func FuzzDecide(f *testing.F) {
	f.Add("ecs.g7t", "ecs.g7t.large", "vTPM", "cloud_essd", "InvalidRamRole.NotFound", theirs, rampolicy.ECSTrust(), rampolicy.SysTrustPolicy(), 0, int64(0))
	f.Add("", "ecs..", "", "", "", "", "{", "{}", -1, int64(-1<<63))
	f.Add("t", "7t", "Enclave", " ", "\x00", systrust, "", narrow, 1<<62, int64(1<<62))
	f.Fuzz(func(t *testing.T, family, kind, mode, disk, code, roleName, trust, document string, tries int, age int64) {
		i := fleet.Instance{
			Ref: fleet.Ref{Scope: here, Kind: fleet.KindInstance, ID: "i-1", Try: fleet.Try{N: tries, FirstSeen: noon.Add(time.Duration(age))}},
			Listed: fleet.See(fleet.Listing{Family: family, Type: kind, Created: noon.Add(time.Duration(age)),
				Tags: map[string]string{mode: disk}, VPC: code, Status: "Running"}),
			RoleName: fleet.See(roleName), SystemDisk: fleet.See(disk),
			Image: fleet.See(fleet.Image{ID: document, Owner: code, BootMode: mode}),
		}
		i.Ref.Call = &fleet.Call{Name: kind, ErrorCode: code, Launch: &fleet.Launch{TrustedSystemMode: mode, ConfidentialComputingMode: mode,
			SystemDiskCategory: disk, SecurityEnhancementStrategy: mode, LaunchTemplateID: code}}
		gone := fleet.Instance{Ref: i.Ref, Gone: fleet.See(true)}
		role := fleet.See(fleet.Role{Trust: trust, Policies: []fleet.Policy{{Name: code, Document: document}}})
		w := world(i, gone)
		w.Calls = []fleet.Ref{{Scope: here, Kind: fleet.KindCall, ID: "E1", Call: i.Ref.Call}}
		w.Roles = map[string]fleet.Fact[fleet.Role]{roleName: role, systrust: role}
		p := enforcing()
		p.InstanceRole.Conflict, p.InstanceRole.AttachAfter = policy.ConflictReplace, 0
		p.TrustedInstance.Require, p.TrustedInstance.IMDS = policy.RequireAll, true
		p.TrustedInstance.Consequence = policy.ConsequenceStop
		for _, v := range instances.TrustedInstance(w, p) {
			sound(t, v)
		}
		_, badDocument := rampolicy.Parse(document)
		_, badTrust := rampolicy.ParseTrust(trust)
		for _, v := range instances.Role(w, p) {
			sound(t, v)
			if len(v.Changes) > 0 && (badDocument != nil || badTrust != nil) {
				t.Errorf("changes for a role that cannot be read: %+v", v)
			}
		}
	})
}

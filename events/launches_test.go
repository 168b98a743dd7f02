package events_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
)

// A launch that names no instance leads to its account, to its call or to nothing; which,
// depends on the call and on whether it failed.
func TestALaunchWithoutIDsLeadsWhereTheTableSays(t *testing.T) {
	const record = `{"eventId":"E","eventName":"%s","serviceName":"Ecs","acsRegion":"cn-hangzhou","recipientAccountId":"1","errorCode":"%s"}`
	for _, c := range fleet.LaunchCalls() {
		for code, want := range map[string]fleet.Kind{"": fleet.KindAccount, "Forbidden.RAM": fleet.KindCall} {
			if c.AnyResource || c.Deferred && code == "" {
				want = ""
			}
			ev := only(t, fmt.Sprintf(record, c.Event, code))
			var got fleet.Kind
			if len(ev.Refs) > 0 {
				got = ev.Refs[0].Kind
			}
			if got != want || ev.Kind != fleet.EventLaunch || (ev.Ignored != "") != (want == "") {
				t.Errorf("%s, code %q: got %+v, want %q", c.Event, code, ev, want)
			}
		}
	}
}

// A group asks for its instances under names of its own; where it names a launch template,
// that goes before them.
func TestAnAutoProvisioningGroupIsReadByItsOwnNames(t *testing.T) {
	const record = `{"eventId":"E","eventName":"CreateAutoProvisioningGroup","serviceName":"Ecs","acsRegion":"cn-hangzhou","recipientAccountId":"1","errorCode":"Forbidden.RAM",
		"requestParameters":{%s"LaunchConfiguration.ImageId":"m-1","LaunchConfiguration.SystemDiskCategory":"cloud_essd","LaunchConfiguration.SecurityEnhancementStrategy":"Deactive",
		"LaunchConfiguration.RamRoleName":"r","LaunchConfiguration.UserData":"eA==","LaunchConfiguration.SecurityOptions.TrustedSystemMode":"vTPM",
		"LaunchConfiguration.SystemDisk.Encrypted":"true","LaunchConfiguration.DataDisk.1.Category":"cloud_ssd","LaunchConfiguration.DataDisk.1.KmsKeyId":"k-1",
		"LaunchTemplateConfig.1.InstanceType":"ecs.g7.large","LaunchTemplateConfig.1.VSwitchId":"vsw-1","LaunchTemplateConfig.2.InstanceType":"ecs.c7.large","LaunchTemplateConfig.2.VSwitchId":"vsw-2"}}`
	for given, want := range map[string]*fleet.Launch{
		"": {ImageID: "m-1", SystemDiskCategory: "cloud_essd", SecurityEnhancementStrategy: "Deactive", RAMRoleName: "r", HasUserData: true,
			TrustedSystemMode: "vTPM", VSwitchID: "vsw-1", DeniedDisks: []fleet.LaunchDisk{{Name: "SystemDisk", Encrypted: true, Category: "cloud_essd"}, {Name: "DataDisk.1", Category: "cloud_ssd", Key: true}}},
		`"LaunchTemplateId":"lt-1",`: {LaunchTemplateID: "lt-1", VSwitchID: "vsw-1"},
	} {
		if diff := cmp.Diff(want, only(t, fmt.Sprintf(record, given)).Call.Launch); diff != "" {
			t.Errorf("%q (-want +got):\n%s", given, diff)
		}
	}
}

// A call that failed created none of the resources that it names; those of its response,
// where a part of a group was created, it did.
func TestAFailedLaunchCreatedOnlyWhatItsResponseNames(t *testing.T) {
	const record = `{"eventId":"E","eventName":"%s","serviceName":"Ecs","acsRegion":"cn-hangzhou","recipientAccountId":"1","errorCode":%q,
		"resourceType":"ACS::ECS::Instance","resourceName":"i-named","referencedResources":{"ACS::ECS::Instance":["i-referred"]}%s}`
	response := map[string]string{
		"":                         "",
		`,"responseElements":null`: "",
		`,"responseElements":{"LaunchResults":{"LaunchResult":[{"InstanceIds":{"InstanceId":["i-created"]}}]}}`: "i-created",
	}
	for _, c := range fleet.LaunchCalls() {
		for text, want := range response {
			ev := only(t, fmt.Sprintf(record, c.Event, "Forbidden.RAM", text))
			for _, ref := range ev.Refs {
				if ref.Kind == fleet.KindInstance && ref.ID != want {
					t.Errorf("%s%s: leads to %s", c.Event, text, ref)
				}
			}
			if want == "" && !c.AnyResource && (len(ev.Refs) != 1 || ev.Refs[0].Kind != fleet.KindCall) {
				t.Errorf("%s%s: got %+v, want the call itself", c.Event, text, ev)
			}
			if want != "" && len(ev.Refs) == 0 {
				t.Errorf("%s%s: got %+v, want %s", c.Event, text, ev, want)
			}
		}
		if ev := only(t, fmt.Sprintf(record, c.Event, "", "")); len(ev.Refs) != 1 || ev.Refs[0].ID != "i-referred" {
			t.Errorf("%s that succeeded: got %+v", c.Event, ev)
		}
	}
}

// A canary is a refused dry run of an image that does not exist. What launched something, or could
// have, is checked like any other call, whatever its token.
func TestACanaryIsNamedAndNotChecked(t *testing.T) {
	const record = `{"eventId":"E","eventName":"RunInstances","serviceName":"Ecs","acsRegion":"cn-hangzhou","recipientAccountId":"1","errorCode":%q,
		"requestParameters":{"ClientToken":%q,"DryRun":%q,"ImageId":%q},"responseElements":%s}`
	const token, image, none, some = "fleetwarden-canary-20260105-abc", "m-fleetwardencanary", "null", `{"InstanceIdSets":{"InstanceIdSet":["i-1"]}}`
	for _, c := range []struct {
		code, token, dry, image, response string
		ignored                           string
	}{
		{"InvalidImageId.NotFound", token, "true", image, none, "it is the canary " + token},
		{"Forbidden.RAM", token, "true", image, none, "it is the canary " + token},
		{"DryRunOperation", token, "true", image, none, "a dry run launches nothing"},
		{"OperationDenied.NoStock", token, "true", image, some, ""},
		{"OperationDenied.NoStock", token, "false", image, none, ""},
		{"OperationDenied.NoStock", token, "true", "m-1", none, ""},
		{"InvalidImageId.NotFound", "another", "true", image, none, ""},
		{"InvalidImageId.NotFound", "fleetwarden-canary-\n\"x", "true", image, none, ""},
		{"", token, "true", image, some, ""},
	} {
		ev := only(t, fmt.Sprintf(record, c.code, c.token, c.dry, c.image, c.response))
		if ev.Ignored != c.ignored || (len(ev.Refs) == 0) != (c.ignored != "") {
			t.Errorf("%+v: got %+v", c, ev)
		}
	}
}

// A purchase on a buy page has parameters of the page, if any, and not those of a launch:
// what it does not say was not left out.
func TestAPurchaseWithoutALaunchsParametersClaimsNothing(t *testing.T) {
	const record = `{"eventId":"E","eventName":"Create","serviceName":"Ecs","acsRegion":"cn-hangzhou","recipientAccountId":"1",
		"referencedResources":{"ACS::ECS::Instance":["i-1"]},"requestParameters":{"AcceptLanguage":"zh-CN","RegionId":"cn-hangzhou"%s}}`
	for given, says := range map[string]bool{"": false, `,"Amount":1`: false, `,"InstanceType":"ecs.g7t.large"`: true, `,"LaunchTemplateId":"lt-1"`: true} {
		ev := only(t, fmt.Sprintf(record, given))
		if got := ev.Call.Launch != nil; got != says || len(ev.Refs) != 1 {
			t.Errorf("%q: got %+v", given, ev.Call)
		}
	}
}

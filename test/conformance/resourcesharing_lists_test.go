package conformance_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	v1sharing "github.com/aliyun/alibaba-cloud-sdk-go/services/resourcesharing"
	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud/ram"
	"fleetwarden/deploy/local/simcloud/server"
)

func TestListsOfSharingArePagedToTheirEnd(t *testing.T) {
	x := newSharers(t)
	id := x.newShare("", true)
	var want []string
	for n := 0; n < 25; n += 5 {
		q := map[string]string{"ResourceShareId": id}
		for i, a := range accounts(n, 5) {
			q[fmt.Sprintf("Targets.%d", i+1)] = a
			want = append(want, a)
		}
		_, err := x.sharing(sharerAdmin, "AssociateResourceShare", q)
		x.ok(err)
	}
	api := x.olderSharing("local-ak", "local-sk")
	list := v1sharing.CreateListResourceShareAssociationsRequest()
	list.Domain, list.AssociationType, list.MaxResults = x.host(), "Target", requests.NewInteger(10)
	var got, sizes []string
	for {
		page, err := api.ListResourceShareAssociations(list)
		x.ok(err)
		sizes = append(sizes, fmt.Sprint(len(page.ResourceShareAssociations)))
		for _, a := range page.ResourceShareAssociations {
			got = append(got, a.EntityId)
		}
		if list.NextToken = page.NextToken; list.NextToken == "" {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || strings.Join(sizes, " ") != "10 10 5" {
		t.Errorf("pages of %v: %s", sizes, diff)
	}
	if n := len(x.associations("Target", nil)); n != 20 {
		t.Errorf("a page holds %d by default", n)
	}
	for query, code := range map[string]string{
		"MaxResults=0": "MaxResults", "MaxResults=101": "MaxResults", "NextToken=x": "NextToken",
		"AssociationStatus=x": "AssociationStatus", "AssociationType=x": "AssociationType",
	} {
		name, value, _ := strings.Cut(query, "=")
		q := map[string]string{"AssociationType": "Target"}
		q[name] = value
		_, err := x.sharing(sharerAdmin, "ListResourceShareAssociations", q)
		wantError(t, err, 400, "InvalidParameter."+code)
	}
}

func TestWhatCannotBeInAShareIsRefused(t *testing.T) {
	x := newSharers(t)
	snapshot, other := x.snapshot(""), x.snapshot("")
	for name, c := range map[string]struct {
		query  map[string]string
		status int
		code   string
	}{
		"no such snapshot":   {map[string]string{"Resources.1.ResourceId": "s-none", "Resources.1.ResourceType": "Snapshot"}, 400, "InvalidParameter.Resources"},
		"another type":       {map[string]string{"Resources.1.ResourceId": snapshot, "Resources.1.ResourceType": "VSwitch"}, 400, "InvalidParameter.ResourceType"},
		"the wrong type":     {map[string]string{"Resources.1.ResourceId": snapshot, "Resources.1.ResourceType": "Image"}, 400, "InvalidParameter.Resources"},
		"no type":            {map[string]string{"Resources.1.ResourceId": snapshot}, 400, "InvalidParameter.Resources"},
		"twice the same":     {map[string]string{"Targets.1": server.Member, "Targets.2": server.Member}, 400, "InvalidParameter.Targets.Duplicate"},
		"six targets":        {map[string]string{"Targets.1": "a", "Targets.2": "b", "Targets.3": "c", "Targets.4": "d", "Targets.5": "e", "Targets.6": "f"}, 400, "InvalidParameter.Targets.Length"},
		"oneself":            {map[string]string{"Targets.1": server.Sharer}, 400, "InvalidParameter.Targets"},
		"not a number":       {map[string]string{"Targets.1": "some-account"}, 400, "InvalidParameter.Targets"},
		"another directory":  {map[string]string{"Targets.1": "rd-Other"}, 400, "InvalidTarget"},
		"another permission": {map[string]string{"Targets.1": server.Member, "PermissionNames.1": "Own"}, 404, "EntityNotExists.Permission"},
		"an ARN elsewhere":   {map[string]string{"ResourceArns.1": "acs:ecs:" + server.Another + ":" + server.Sharer + ":snapshot/" + snapshot}, 400, "InvalidParameter.ResourceArns"},
		"ids and ARNs": {map[string]string{"Resources.1.ResourceId": snapshot, "Resources.1.ResourceType": "Snapshot",
			"ResourceArns.1": "acs:ecs:" + server.Home + ":" + server.Sharer + ":snapshot/" + other}, 400, "InvalidParameter.ResourceConflict"},
		"no name": {map[string]string{"ResourceShareName": "a b"}, 400, "InvalidParameter.ResourceShareName"},
	} {
		q := map[string]string{"ResourceShareName": "s"}
		for k, v := range c.query {
			q[k] = v
		}
		_, err := x.sharing(sharerAdmin, "CreateResourceShare", q)
		if err == nil {
			t.Errorf("%s is taken", name)
		}
		wantError(t, err, c.status, c.code)
	}
	_, err := x.sharing(shareeAdmin, "CreateResourceShare", map[string]string{"ResourceShareName": "s", "Targets.1": server.Member})
	wantError(t, err, 409, "AccountNotInResourceDirectory")
	_, err = x.sharing(shareeAdmin, "CreateResourceShare", map[string]string{
		"ResourceShareName": "s", "Resources.1.ResourceId": snapshot, "Resources.1.ResourceType": "Snapshot",
	})
	wantError(t, err, 400, "InvalidParameter.Resources")
}

func TestWhoMayNotShareLearnsNothing(t *testing.T) {
	x := newSharers(t)
	x.makeRole("other", trusts("", "fc.aliyuncs.com"), `{"Effect":"Allow","Action":"ecs:*","Resource":"*"}`)
	x.pass(6 * time.Second)
	who := x.asFunction("other")
	for action, query := range map[string]map[string]string{
		"CreateResourceShare":           {"ResourceShareName": "s"},
		"AssociateResourceShare":        {"ResourceShareId": "rs-1", "Targets.1": server.Member},
		"DeleteResourceShare":           {"ResourceShareId": "rs-1"},
		"ListResourceShareAssociations": {"AssociationType": "Target"},
		"AcceptResourceShareInvitation": {"ResourceShareInvitationId": "i-1"},
		"ListResourceShareInvitations":  nil,
	} {
		_, err := x.sharing(who, action, query)
		wantError(t, err, 403, "Forbidden.RAM")
		if !asked(x.RAM.Permissions(), "resourcesharing:"+action, "*") {
			t.Errorf("%s asks for something else", action)
		}
	}
}

func asked(all []ram.UsedPermission, action, resource string) bool {
	for _, p := range all {
		if p.Action == action && p.Resource == resource {
			return true
		}
	}
	return false
}

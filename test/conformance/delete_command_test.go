package conformance_test

import (
	"testing"

	ecssdk "github.com/alibabacloud-go/ecs-20140526/v4/client"
	"github.com/alibabacloud-go/tea/tea"

	"fleetwarden/deploy/local/simcloud/server"
)

func TestACommandIsMadeShownAndDeleted(t *testing.T) {
	c := newCloud(t, server.Options{})
	api := c.commands(sharerAdmin)
	// As the Terraform provider sends it: Base64, without ContentEncoding.
	made, err := api.CreateCommand(&ecssdk.CreateCommandRequest{
		RegionId: tea.String(server.Home), Name: tea.String("fleetwarden-install"), Type: tea.String("RunShellScript"), CommandContent: tea.String("dHJ1ZQ=="),
		Timeout: tea.Int64(60),
	})
	c.ok(err)
	id := made.Body.CommandId
	list := func() int {
		t.Helper()
		out, err := api.DescribeCommands(&ecssdk.DescribeCommandsRequest{RegionId: tea.String(server.Home), CommandId: id})
		c.ok(err)
		return len(out.Body.Commands.Command)
	}
	if list() != 1 {
		t.Error("the command does not show")
	}
	remove := func(as *ecssdk.Client) error {
		_, err := as.DeleteCommand(&ecssdk.DeleteCommandRequest{RegionId: tea.String(server.Home), CommandId: id})
		return err
	}
	wantError(t, remove(c.commands(c.acting("other", `{"Effect":"Allow","Action":"ecs:DeleteCommand","Resource":"acs:ecs:*:*:command/c-other"}`))), 403, "Forbidden.RAM")
	c.ok(remove(c.commands(c.acting("this", `{"Effect":"Allow","Action":"ecs:DeleteCommand","Resource":"acs:ecs:*:*:command/`+*id+`"}`))))
	if list() != 0 {
		t.Error("the deleted command still shows")
	}
	wantError(t, remove(api), 404, "InvalidCmdId.NotFound")
}

func (c *cloud) commands(who identity) *ecssdk.Client {
	c.t.Helper()
	client, err := ecssdk.NewClient(c.config(who))
	c.ok(err)
	return client
}

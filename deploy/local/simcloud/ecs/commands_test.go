package ecs_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud/ecs"
)

func TestOneUnfitInstanceFailsTheWholeCall(t *testing.T) {
	x := newAssisted(t)
	good := seed(t, x.Service, ecs.FleetSpec{Count: 1})[0]
	for name, c := range map[string]struct{ id, code string }{
		"unknown":      {"i-gone", "InvalidInstance.NotFound"},
		"elsewhere":    {seed(t, x.Service, ecs.FleetSpec{Count: 1, Region: "cn-shanghai"})[0], "InvalidInstance.NotFound"},
		"stopped":      {seed(t, x.Service, ecs.FleetSpec{Count: 1, Status: "Stopped"})[0], "InvalidInstance.NotMatch"},
		"windows":      {seed(t, x.Service, ecs.FleetSpec{Count: 1, OS: "windows"})[0], "InvalidInstance.NotMatch"},
		"no assistant": {seed(t, x.Service, ecs.FleetSpec{Count: 1, Assistant: "absent"})[0], "InvalidInstance.NotMatch"},
	} {
		if _, err := x.run(ecs.RunCommandRequest{}, good, c.id); codeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := x.run(ecs.RunCommandRequest{}); codeOf(err) != "MissingParam.InstanceId" {
		t.Errorf("without an instance: %v", err)
	}
	x.pass(time.Hour)
	all, err := x.DescribeInvocations(call("D", nil), &ecs.DescribeInvocationsRequest{})
	if err != nil || len(all.Invocations.Invocation) != 0 {
		t.Errorf("something ran: %v, %v", all, err)
	}
	x.mustRun(ecs.RunCommandRequest{}, good, good)
	x.pass(time.Hour)
	if n := x.status(good).InvocationCount; n != 1 {
		t.Errorf("named twice it ran %d times", n)
	}
}

func TestManyInstancesHaveOneStatusEach(t *testing.T) {
	x := newAssisted(t)
	ids := seed(t, x.Service, ecs.FleetSpec{Count: 100})
	x.profile(ids[7], ecs.Profile{Outcome: ecs.Fails})
	invoke := x.mustRun(ecs.RunCommandRequest{}, ids...)
	x.pass(2 * time.Second)
	if got := x.overall(invoke); got != "Running/Running" {
		t.Errorf("under way it is %s", got)
	}
	x.pass(time.Minute)
	if got := x.overall(invoke); got != "PartialFailed/PartialFailed" {
		t.Errorf("at the end it is %s", got)
	}
	seen := map[string]int{}
	for _, r := range x.invocation(invoke).InvokeInstances.InvokeInstance {
		seen[r.InstanceId+" "+r.InvocationStatus]++
	}
	want := map[string]int{}
	for n, id := range ids {
		want[id+map[bool]string{true: " Failed", false: " Success"}[n == 7]] = 1
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Error(diff)
	}
}

func TestTheSameTokenRunsACommandOnce(t *testing.T) {
	x := newAssisted(t)
	id := seed(t, x.Service, ecs.FleetSpec{Count: 1})[0]
	first := x.mustRun(ecs.RunCommandRequest{ClientToken: "a"}, id)
	if again := x.mustRun(ecs.RunCommandRequest{ClientToken: "a"}, id); again != first {
		t.Errorf("the same token began %s after %s", again, first)
	}
	if other := x.mustRun(ecs.RunCommandRequest{ClientToken: "b"}, id); other == first {
		t.Error("another token began nothing")
	}
	if _, err := x.run(ecs.RunCommandRequest{ClientToken: "a", CommandContent: "false"}, id); codeOf(err) != "IdempotentParameterMismatch" {
		t.Errorf("the same token for something else: %v", err)
	}
}

func TestParametersMustBeThoseOfTheCommand(t *testing.T) {
	x := newAssisted(t)
	id := seed(t, x.Service, ecs.FleetSpec{Count: 1})[0]
	many := map[string]string{}
	var markers string
	for n := range 11 {
		many[fmt.Sprint("p", n)] = "v"
		markers += fmt.Sprintf("{{p%d}}", n)
	}
	manyText, err := json.Marshal(many)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		content, params string
		custom          bool
		code            string
	}{
		"given":          {"echo {{ a }}", `{"a":"1"}`, true, "<nil>"},
		"built in":       {"echo {{ACS::RegionId}}", "", true, "<nil>"},
		"no parameters":  {"echo {{a}}", "", false, "<nil>"},
		"missing":        {"echo {{a}}", `{}`, true, "Parameter.MissingValue"},
		"one too many":   {"echo {{a}}", `{"a":"1","b":"2"}`, true, "Parameter.NotMatched"},
		"not wanted":     {"echo {{a}}", `{"a":"1"}`, false, "Parameter.Disabled"},
		"no map":         {"echo {{a}}", `[]`, true, "InvalidParameter.Parameters"},
		"no string":      {"echo {{a}}", `{"a":1}`, true, "ParameterType.NotSupported"},
		"eleven":         {markers, string(manyText), true, "ParameterCount.ExceedLimit"},
		"long name":      {"x", `{"` + strings.Repeat("a", 65) + `":"1"}`, true, "ParameterKey.ExceedLimit"},
		"empty name":     {"echo {{}}", "", true, "CmdParam.EmptyKey"},
		"bad name":       {"echo {{a b}}", "", true, "CmdParam.InvalidParamName"},
		"long wish":      {"echo {{" + strings.Repeat("a", 65) + "}}", "", true, "CmdParamName.ExceedLimit"},
		"large with one": {strings.Repeat("x", 17<<10) + "{{a}}", `{"a":"` + strings.Repeat("y", 2<<10) + `"}`, true, "CmdContent.ExceedLimit"},
	} {
		_, err := x.run(ecs.RunCommandRequest{CommandContent: c.content, Parameters: c.params, EnableParameter: c.custom}, id)
		if codeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
}

func TestABadCommandIsRefused(t *testing.T) {
	x := newAssisted(t)
	id := seed(t, x.Service, ecs.FleetSpec{Count: 1})[0]
	large := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", 14<<10)))
	for name, c := range map[string]struct {
		in   ecs.RunCommandRequest
		code string
	}{
		"type":          {ecs.RunCommandRequest{Type: "Shell"}, "InvalidCmdType.NotFound"},
		"name":          {ecs.RunCommandRequest{Name: strings.Repeat("n", 129)}, "CmdName.ExceedLimit"},
		"description":   {ecs.RunCommandRequest{Description: strings.Repeat("n", 513)}, "CmdDesc.ExceedLimit"},
		"directory":     {ecs.RunCommandRequest{WorkingDir: strings.Repeat("n", 201)}, "InvalidParameter.WorkingDir"},
		"user":          {ecs.RunCommandRequest{Username: strings.Repeat("n", 256)}, "Username.ExceedLimit"},
		"short timeout": {ecs.RunCommandRequest{Timeout: 9}, "InvalidParameter.Timeout"},
		"long timeout":  {ecs.RunCommandRequest{Timeout: 1 << 60}, "InvalidParameter.Timeout"},
		"repeat":        {ecs.RunCommandRequest{RepeatMode: "Period"}, "InvalidRepeatMode.NotFound"},
		"not Base64":    {ecs.RunCommandRequest{ContentEncoding: "Base64", CommandContent: "?"}, "CmdContent.DecodeError"},
		"odd encoding":  {ecs.RunCommandRequest{ContentEncoding: "gzip", CommandContent: "?"}, "<nil>"},
		"large, kept":   {ecs.RunCommandRequest{ContentEncoding: "Base64", CommandContent: large, KeepCommand: true}, "CmdContent.ExceedLimit"},
		"large":         {ecs.RunCommandRequest{ContentEncoding: "Base64", CommandContent: large}, "<nil>"},
	} {
		if _, err := x.run(c.in, id); codeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
}

func TestOnlyKeptCommandsAreListedAndInvoked(t *testing.T) {
	x := newAssisted(t)
	id := seed(t, x.Service, ecs.FleetSpec{Count: 1})[0]
	made, err := x.CreateCommand(call("C", nil), &ecs.CreateCommandRequest{
		Name: "made", Type: "RunShellScript", ContentEncoding: "PlainText", CommandContent: "echo {{a}}", EnableParameter: true, Timeout: 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	seeded, err := x.SeedCommand(ecs.CommandSpec{Name: "seeded", Type: "RunShellScript", Content: "true"})
	if err != nil {
		t.Fatal(err)
	}
	kept, err := x.RunCommand(call("R", nil), &ecs.RunCommandRequest{
		Name: "kept", Type: "RunShellScript", CommandContent: "true", KeepCommand: true, InstanceId: []string{id},
	})
	if err != nil {
		t.Fatal(err)
	}
	gone, err := x.RunCommand(call("R", nil), &ecs.RunCommandRequest{Name: "gone", Type: "RunShellScript", CommandContent: "true", InstanceId: []string{id}})
	if err != nil {
		t.Fatal(err)
	}
	list, err := x.DescribeCommands(call("D", nil), &ecs.DescribeCommandsRequest{ContentEncoding: "PlainText"})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, c := range list.Commands.Command {
		got[c.CommandId] = fmt.Sprint(c.Name, " ", c.CommandContent, " ", c.Timeout, " ", c.ParameterNames.ParameterName)
	}
	want := map[string]string{made.CommandId: "made echo {{a}} 20 [a]", seeded: "seeded true 60 []", kept.CommandId: "kept true 60 []"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	invoke := func(command, params string) error {
		_, err := x.InvokeCommand(call("I", nil), &ecs.InvokeCommandRequest{CommandId: command, InstanceId: []string{id}, Parameters: params})
		return err
	}
	if err := invoke(made.CommandId, `{"a":"1"}`); err != nil {
		t.Error(err)
	}
	if err := invoke(made.CommandId, ""); codeOf(err) != "Parameter.MissingValue" {
		t.Error(err)
	}
	if err := invoke(gone.CommandId, ""); codeOf(err) != "InvalidCmdId.NotFound" {
		t.Errorf("a command that was not kept: %v", err)
	}
}

func TestTheDumpOfCommandsHoldsNoParameters(t *testing.T) {
	x := newAssisted(t)
	id := seed(t, x.Service, ecs.FleetSpec{Count: 1})[0]
	x.mustRun(ecs.RunCommandRequest{Name: "n", CommandContent: "{{a}}", EnableParameter: true, Parameters: `{"a":"Canary"}`}, id)
	x.pass(time.Minute)
	b, err := json.Marshal(x.Commands())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "Canary") || !strings.Contains(string(b), `"`+id+`":"Success"`) {
		t.Errorf("the dump is %s", b)
	}
}

func FuzzNoCommandPanics(f *testing.F) {
	f.Add("echo {{a}} {{ACS::RegionId}}", `{"a":"1"}`, "Base64")
	f.Add("{{{{}}}}", `null`, "")
	f.Add("AliAqsInstall -k=", `{"":""}`, "PlainText")
	f.Fuzz(func(t *testing.T, content, params, encoding string) {
		x := newAssisted(t)
		id := seed(t, x.Service, ecs.FleetSpec{Count: 1})[0]
		invoke, err := x.run(ecs.RunCommandRequest{
			CommandContent: content, Parameters: params, ContentEncoding: encoding, EnableParameter: true, Timeout: 600,
		}, id)
		if err != nil {
			return
		}
		x.pass(time.Hour)
		if got := x.results(invoke)[id]; got != "Success" {
			t.Errorf("it ended as %s", got)
		}
	})
}

func TestContentWithoutAnEncodingIsBase64ToCreateCommandAndPlainToRunCommand(t *testing.T) {
	x := newAssisted(t)
	const plain, encoded = "echo a b", "ZWNobyBhIGI="
	for _, c := range []struct{ encoding, content, want, code string }{
		{"", encoded, plain, "<nil>"}, {"Base64", encoded, plain, "<nil>"}, {"base64", encoded, plain, "<nil>"}, {"gzip", encoded, plain, "<nil>"},
		{"PlainText", plain, plain, "<nil>"}, {"", plain, "", "CmdContent.DecodeError"}, {"gzip", plain, "", "CmdContent.DecodeError"},
	} {
		made, err := x.CreateCommand(call("C", nil), &ecs.CreateCommandRequest{Name: "n", Type: "RunShellScript", ContentEncoding: c.encoding, CommandContent: c.content})
		if codeOf(err) != c.code {
			t.Errorf("CreateCommand of %q as %q: got %v, want %s", c.content, c.encoding, err, c.code)
		}
		if err != nil {
			continue
		}
		list, err := x.DescribeCommands(call("D", nil), &ecs.DescribeCommandsRequest{CommandId: made.CommandId, ContentEncoding: "PlainText"})
		if err != nil || len(list.Commands.Command) != 1 || list.Commands.Command[0].CommandContent != c.want {
			t.Errorf("CreateCommand of %q as %q: got %+v, %v", c.content, c.encoding, list, err)
		}
	}
	id := seed(t, x.Service, ecs.FleetSpec{Count: 1})[0]
	for encoding, code := range map[string]string{"": "<nil>", "gzip": "<nil>", "base64": "CmdContent.DecodeError"} {
		if _, err := x.run(ecs.RunCommandRequest{ContentEncoding: encoding, CommandContent: plain}, id); codeOf(err) != code {
			t.Errorf("RunCommand of plain text as %q: got %v, want %s", encoding, err, code)
		}
	}
}

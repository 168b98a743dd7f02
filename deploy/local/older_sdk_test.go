package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"fleetwarden/deploy/local/stack"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
)

// An operator starts the local cloud and drives it with an SDK that the product does
// not use, as make local does: its own process, real functions, time that goes by itself.
func TestAnotherSDKLaunchesAndFindsTheRole(t *testing.T) {
	address := start(t)
	var answer struct {
		InstanceIdSets      struct{ InstanceIdSet []string }
		InstanceRamRoleSets struct {
			InstanceRamRoleSet []struct{ InstanceId, RamRoleName string }
		}
	}
	ask := func(api string, params map[string]string) {
		t.Helper()
		text, err := call(t, address, "local-sk", api, params)
		if err == nil {
			err = json.Unmarshal(text, &answer)
		}
		if err != nil {
			t.Fatalf("%s: %v", api, err)
		}
	}
	ask("RunInstances", map[string]string{
		"RegionId": "cn-hangzhou", "InstanceType": "ecs.g7t.large", "ImageId": "aliyun_3_x64_20G_uefi_alibase_20230727.vhd",
		"VSwitchId": "vsw-local", "SecurityGroupId": "sg-local", "SystemDisk.Category": "cloud_essd",
		"SecurityOptions.TrustedSystemMode": "vTPM", "Amount": "2",
	})
	ids := answer.InstanceIdSets.InstanceIdSet
	control(t, "POST", address+"/_sim/advance", `{"until":"quiet","max":"2h"}`)

	ask("DescribeInstanceRamRole", map[string]string{"RegionId": "cn-hangzhou", "InstanceIds": `["` + strings.Join(ids, `","`) + `"]`})
	roles := answer.InstanceRamRoleSets.InstanceRamRoleSet
	if len(ids) != 2 || len(roles) != 2 {
		t.Fatalf("launched %v; roles %+v", ids, roles)
	}
	for _, set := range roles {
		if set.RamRoleName != "AliyunECSInstanceForYundunSysTrustRole" {
			t.Errorf("%s has the role %q", set.InstanceId, set.RamRoleName)
		}
	}
	var seen struct{ Invocations []struct{ Function string } }
	if err := json.Unmarshal([]byte(control(t, "GET", address+"/_sim/invocations", "")), &seen); err != nil {
		t.Fatal(err)
	}
	ran := map[string]bool{}
	for _, i := range seen.Invocations {
		ran[i.Function] = true
	}
	if !ran["attach-role"] || !ran["validate-instance"] {
		t.Errorf("the functions that ran: %v", ran)
	}
	t.Run("what is wrong with a request is said by its code", func(t *testing.T) { wantCodes(t, address) })
}

func wantCodes(t *testing.T, address string) {
	const role = "DescribeInstanceRamRole"
	good := map[string]string{"RegionId": "cn-hangzhou", "InstanceIds": `["i-1"]`}
	for name, tc := range map[string]struct {
		secret, api string
		params      map[string]string
		want        string
	}{
		"nothing":             {"local-sk", role, good, ""},
		"a wrong signature":   {"wrong", role, good, "SignatureDoesNotMatch"},
		"neither of two":      {"local-sk", role, map[string]string{"RegionId": "cn-hangzhou"}, "InvalidParameter.AllEmpty"},
		"a missing parameter": {"local-sk", "AttachInstanceRamRole", good, "MissingParameter"},
		"an unknown one":      {"local-sk", role, map[string]string{"RegionId": "cn-hangzhou", "InstanceIds": `["i-1"]`, "Nonsense": "1"}, "InvalidParameter"},
		"an unknown action":   {"local-sk", "MakeCoffee", good, "InvalidAction.NotFound"},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			_, err := call(t, address, tc.secret, tc.api, tc.params)
			if e := (&sdkerrors.ServerError{}); errors.As(err, &e) {
				got = e.ErrorCode()
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// start runs the program on a free port, a hundred times as fast as real time, until
// the test ends, and returns its address.
func start(t *testing.T) string {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	read, write := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"--port=0", "--rate=100", "--manifest=../../s.yaml", "--bin=" + os.Getenv(stack.BinVariable)}, func(string) string { return "" }, write)
		_ = write.Close()
	}()
	found := make(chan string, 1)
	go func() {
		banner := regexp.MustCompile(`listens on (http://[0-9.:]+)\.`)
		text := ""
		for buf := make([]byte, 4096); ; {
			n, err := read.Read(buf)
			text += string(buf[:n])
			if m := banner.FindStringSubmatch(text); m != nil {
				select {
				case found <- m[1]:
				default:
				}
			}
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("stopping: %v", err)
		}
	})
	select {
	case address := <-found:
		return address
	case err := <-ended:
		ended <- nil
		t.Fatalf("the local cloud did not start: %v", err)
	case <-time.After(5 * time.Minute):
		t.Fatal("the local cloud did not start in five minutes")
	}
	return ""
}

// call calls an API of ECS and returns its answer.
func call(t *testing.T, address, secret, api string, params map[string]string) ([]byte, error) {
	t.Helper()
	c, err := sdk.NewClientWithOptions("cn-hangzhou", sdk.NewConfig(), credentials.NewAccessKeyCredential("local-ak", secret))
	if err != nil {
		t.Fatal(err)
	}
	r := requests.NewCommonRequest()
	r.Method, r.Scheme, r.Domain, r.Version, r.ApiName = "POST", "http", strings.TrimPrefix(address, "http://"), "2014-05-26", api
	r.QueryParams = params
	out, err := c.ProcessCommonRequest(r)
	if err != nil {
		return nil, err
	}
	return out.GetHttpContentBytes(), nil
}

func control(t *testing.T, method, url, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s %v: %s", method, url, resp.Status, err, text)
	}
	return string(text)
}

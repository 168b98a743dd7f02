package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ecs"
)

// An operator starts the local cloud and drives it with an SDK that the product does
// not use, as make local does: its own process, real functions, time that goes by itself.
func TestAnotherSDKLaunchesAndFindsTheRole(t *testing.T) {
	address := start(t)
	client := older(t, address, "local-sk")

	launch := ecs.CreateRunInstancesRequest()
	launch.Scheme, launch.RegionId = "http", "cn-hangzhou"
	launch.InstanceType, launch.ImageId = "ecs.g7t.large", "aliyun_3_x64_20G_uefi_alibase_20230727.vhd"
	launch.VSwitchId, launch.SecurityGroupId, launch.SystemDiskCategory = "vsw-local", "sg-local", "cloud_essd"
	launch.Amount = requests.NewInteger(2)
	launch.QueryParams["SecurityOptions.TrustedSystemMode"] = "vTPM"
	launched, err := client.RunInstances(launch)
	if err != nil {
		t.Fatal(err)
	}
	ids := launched.InstanceIdSets.InstanceIdSet
	control(t, "POST", address+"/_sim/advance", `{"until":"quiet","max":"2h"}`)

	ask := ecs.CreateDescribeInstanceRamRoleRequest()
	ask.Scheme, ask.RegionId = "http", "cn-hangzhou"
	ask.InstanceIds = `["` + strings.Join(ids, `","`) + `"]`
	got, err := client.DescribeInstanceRamRole(ask)
	if err != nil {
		t.Fatal(err)
	}
	if len(ids) != 2 || len(got.InstanceRamRoleSets.InstanceRamRoleSet) != 2 {
		t.Fatalf("launched %v; roles %+v", ids, got.InstanceRamRoleSets)
	}
	for _, set := range got.InstanceRamRoleSets.InstanceRamRoleSet {
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
}

func TestWhatIsWrongWithARequestIsSaidByItsCode(t *testing.T) {
	address := start(t)
	call := func(secret string, change func(*requests.CommonRequest)) string {
		r := requests.NewCommonRequest()
		r.Method, r.Scheme, r.Domain, r.Version, r.ApiName = "POST", "http", strings.TrimPrefix(address, "http://"), "2014-05-26", "DescribeInstanceRamRole"
		r.QueryParams["RegionId"], r.QueryParams["InstanceIds"] = "cn-hangzhou", `["i-1"]`
		change(r)
		_, err := older(t, address, secret).ProcessCommonRequest(r)
		var s *sdkerrors.ServerError
		if errors.As(err, &s) {
			return s.ErrorCode()
		}
		return ""
	}
	for name, tc := range map[string]struct {
		secret string
		change func(*requests.CommonRequest)
		want   string
	}{
		"nothing":             {"local-sk", func(*requests.CommonRequest) {}, ""},
		"a wrong signature":   {"wrong", func(*requests.CommonRequest) {}, "SignatureDoesNotMatch"},
		"neither of two":      {"local-sk", func(r *requests.CommonRequest) { delete(r.QueryParams, "InstanceIds") }, "InvalidParameter.AllEmpty"},
		"a missing parameter": {"local-sk", func(r *requests.CommonRequest) { r.ApiName = "AttachInstanceRamRole" }, "MissingParameter"},
		"an unknown one":      {"local-sk", func(r *requests.CommonRequest) { r.QueryParams["Nonsense"] = "1" }, "InvalidParameter"},
		"an unknown action":   {"local-sk", func(r *requests.CommonRequest) { r.ApiName = "MakeCoffee" }, "InvalidAction.NotFound"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := call(tc.secret, tc.change); got != tc.want {
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
		ended <- run(ctx, []string{"--port=0", "--rate=100", "--manifest=../../s.yaml"}, func(string) string { return "" }, write)
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

func older(t *testing.T, address, secret string) *ecs.Client {
	t.Helper()
	c, err := ecs.NewClientWithAccessKey("cn-hangzhou", "local-ak", secret)
	if err != nil {
		t.Fatal(err)
	}
	c.Domain = strings.TrimPrefix(address, "http://")
	return c
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

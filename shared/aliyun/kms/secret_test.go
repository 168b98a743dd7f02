package kms_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/aliyun/kms"
	"fleetwarden/shared/fleet"
)

const text = "the-text-of-the-secret"

func TestASecretIsReadAndLookedForByName(t *testing.T) {
	srv, c := newBench(t, admin)
	if err := srv.KMS.SetSecret(server.Sharer, server.Home, "robot", text, ""); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Secret(t.Context(), server.Home, "robot"); got != text || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	for name, want := range map[string]bool{"robot": true, "none": false} {
		if got, err := c.HasSecret(t.Context(), server.Home, name); got != want || err != nil {
			t.Errorf("%s: got %t, %v", name, got, err)
		}
	}
	if got, err := c.Secret(t.Context(), server.Home, "none"); got != "" || fleet.ClassOf(err) != fleet.NotFound {
		t.Errorf("no such secret: got %q, %v", got, err)
	}
}

func TestLookingForASecretNeverReadsIt(t *testing.T) {
	srv, c := newBench(t, admin)
	if err := srv.KMS.SetSecret(server.Sharer, server.Home, "robot", text, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := c.HasSecret(t.Context(), server.Home, "robot"); err != nil {
		t.Fatal(err)
	}
	for _, e := range srv.Log.Since(0) {
		if e.Action != "DescribeSecret" {
			t.Errorf("%s was called", e.Action)
		}
	}
}

func TestASecretThatCannotBeReadIsAnError(t *testing.T) {
	for name, x := range map[string]struct {
		key   aliyun.Keys
		fault simcloud.FaultKind
		under string
		class fleet.Class
	}{
		"without permission":        {key: aliyun.Keys{AccessKeyID: "weak-ak", AccessKeySecret: "weak-sk"}, class: fleet.Denied},
		"a denied call":             {key: admin, fault: simcloud.Deny, class: fleet.Denied},
		"KMS fails":                 {key: admin, fault: simcloud.InternalError, class: fleet.Unavailable},
		"no answer":                 {key: admin, fault: simcloud.TimeoutAfter, class: fleet.Unavailable},
		"an empty answer":           {key: admin, fault: simcloud.Empty, class: fleet.Unavailable},
		"the key of it is disabled": {key: admin, under: "alias/secrets", class: fleet.Denied},
	} {
		t.Run(name, func(t *testing.T) {
			srv, c := newBench(t, x.key)
			if _, err := srv.KMS.AddKey(server.Sharer, server.Home, "alias/secrets"); err != nil {
				t.Fatal(err)
			}
			if err := srv.KMS.SetSecret(server.Sharer, server.Home, "robot", text, x.under); err != nil {
				t.Fatal(err)
			}
			if err := srv.KMS.SetState(server.Sharer, server.Home, "alias/secrets", "Disabled"); err != nil {
				t.Fatal(err)
			}
			if x.fault != simcloud.NoFault {
				if err := srv.Faults.Set(1, []simcloud.Fault{{Kind: x.fault}}, simcloud.EventFaults{}); err != nil {
					t.Fatal(err)
				}
			}
			got, err := c.Secret(t.Context(), server.Home, "robot")
			if got != "" || fleet.ClassOf(err) != x.class || strings.Contains(err.Error(), text) {
				t.Errorf("got %q, %v", got, err)
			}
			if x.under != "" {
				return // it is there
			}
			if has, err := c.HasSecret(t.Context(), server.Home, "robot"); has || fleet.ClassOf(err) != x.class {
				t.Errorf("looked for: got %t, %v", has, err)
			}
		})
	}
}

// Each answer holds the text of the secret, and is not what was asked for.
func TestNoErrorQuotesASecret(t *testing.T) {
	for name, answer := range map[string]string{
		"binary":       `{"RequestId":"r","SecretData":"` + text + `","SecretDataType":"binary"}`,
		"empty":        `{"RequestId":"r","SecretData":"","SecretDataType":"text","VersionId":"` + text + `"}`,
		"no JSON":      `{"RequestId":"r","SecretData":"` + text,
		"another type": `{"RequestId":"r","SecretData":["` + text + `"],"SecretDataType":"text"}`,
		"no id":        `{"SecretData":"` + text + `","SecretDataType":"text"}`,
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) }))
			defer srv.Close()
			c := kms.New(aliyuntest.Cloud(t, srv.URL, admin).NewSession(0))
			got, err := c.Secret(t.Context(), server.Home, "robot")
			if got != "" || err == nil || strings.Contains(err.Error(), text) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestWhereKMSIsNotServedThereAreNoSecrets(t *testing.T) {
	srv, c := newBench(t, admin)
	if got, err := c.Secret(t.Context(), "cn-nanjing", "robot"); got != "" || fleet.ClassOf(err) != fleet.Absent {
		t.Errorf("got %q, %v", got, err)
	}
	if has, err := c.HasSecret(t.Context(), "cn-nanjing", "robot"); has || err != nil {
		t.Errorf("got %t, %v", has, err)
	}
	if n := len(srv.Log.Since(0)); n > 0 {
		t.Errorf("%d calls were sent", n)
	}
}

package aliyun_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fleetwarden/shared/aliyun"
)

// withConfig makes a person's home with a file of the aliyun CLI, and no other credentials.
func withConfig(t *testing.T, text string) {
	t.Helper()
	home := t.TempDir()
	if err := os.MkdirAll(filepath.Join(home, ".aliyun"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, ".aliyun", "config.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN", "ALIBABA_CLOUD_PROFILE", "ALIBABA_CLOUD_CONFIG_FILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", home)
	t.Setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
}

const profiles = `{"current": "work", "profiles": [
	{"name": "work", "mode": "AK", "access_key_id": "ak-work", "access_key_secret": "sk", "region_id": "cn-shanghai"},
	{"name": "other", "mode": "AK", "access_key_id": "ak-other", "access_key_secret": "sk", "region_id": "cn-beijing"}]}`

func TestCredentialsAreFoundWhereTheAliyunCLIHasThem(t *testing.T) {
	for name, c := range map[string]struct {
		profile, env     string
		id, from, region string
	}{
		"the current profile":   {"", "", "ak-work", "profile of the aliyun CLI", "cn-shanghai"},
		"a named profile":       {"other", "", "ak-other", "profile other of the aliyun CLI", "cn-beijing"},
		"keys come first":       {"", "ak-env", "ak-env", "environment", "cn-shanghai"},
		"but not before a name": {"other", "ak-env", "ak-other", "profile other of the aliyun CLI", "cn-beijing"},
	} {
		t.Run(name, func(t *testing.T) {
			withConfig(t, profiles)
			t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", c.env)
			t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", c.env)
			credential, from, err := aliyun.FindCredentials(c.profile)
			if err != nil {
				t.Fatal(err)
			}
			keys, err := credential.GetCredential()
			if err != nil || *keys.AccessKeyId != c.id || from != c.from {
				t.Errorf("got %s from %s, %v", *keys.AccessKeyId, from, err)
			}
			if got := aliyun.ReadProfile(c.profile, os.Getenv).Region; got != c.region {
				t.Errorf("region %s", got)
			}
		})
	}
}

// The SDK's error quotes a file that it cannot read, with all secrets.
func TestWithoutCredentialsEachSourceIsNamedAndNoSecretIsQuoted(t *testing.T) {
	const secret = "do-not-show-this"
	for name, text := range map[string]string{
		"not JSON":        `{"profiles": [{"name": "work", "access_key_secret": "` + secret + `"`,
		"no such profile": `{"current": "gone", "profiles": [{"name": "work", "mode": "AK", "access_key_secret": "` + secret + `"}]}`,
		"an unknown mode": `{"current": "work", "profiles": [{"name": "work", "mode": "` + "Odd" + `", "access_key_secret": "` + secret + `"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			withConfig(t, text)
			_, _, err := aliyun.FindCredentials("")
			if err == nil || strings.Contains(err.Error(), secret) {
				t.Fatal(err)
			}
			for _, want := range []string{"environment: ", "OIDC: ", "profile of the aliyun CLI: ", "profile of the SDKs: ", "RAM role of the instance: ", "aliyun configure"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is missing:\n%v", want, err)
				}
			}
			if name == "not JSON" && aliyun.ReadProfile("", os.Getenv) != (aliyun.Profile{}) {
				t.Error("a profile was read")
			}
		})
	}
}

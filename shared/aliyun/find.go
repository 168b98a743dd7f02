package aliyun

import (
	"cmp"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/aliyun/credentials-go/credentials"
	"github.com/aliyun/credentials-go/credentials/providers"
)

// FindCredentials finds a person's credentials where the aliyun CLI does: environment, OIDC,
// the CLI's profile, the profile of the SDKs, an instance's RAM role by its hardened metadata
// service. With a profile's name only the CLI's profile of that name is asked. Each source is
// asked once, now; from names the one that had credentials. The error lists each source and
// why it had none.
func FindCredentials(profile string) (c credentials.Credential, from string, err error) {
	refused := []string{"no credentials were found; each source was asked:"}
	for _, s := range sources(profile) {
		provider, err := s.build()
		if err == nil {
			_, err = provider.GetCredentials()
		}
		if err == nil {
			return credentials.FromCredentialsProvider(s.kind, provider), s.name, nil
		}
		refused = append(refused, "  "+s.name+": "+reason(err))
	}
	return nil, "", errors.New(strings.Join(append(refused, `set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or run "aliyun configure"`), "\n"))
}

// source is one place that may have credentials; kind is the SDK's word for it.
type source struct {
	name, kind string
	build      func() (providers.CredentialsProvider, error)
}

func sources(profile string) []source {
	cli := source{"profile of the aliyun CLI", "cli_profile", func() (providers.CredentialsProvider, error) {
		return providers.NewCLIProfileCredentialsProviderBuilder().WithProfileName(profile).Build()
	}}
	if profile != "" {
		cli.name = "profile " + profile + " of the aliyun CLI"
		return []source{cli}
	}
	return []source{
		{"environment", "env", func() (providers.CredentialsProvider, error) {
			return providers.NewEnvironmentVariableCredentialsProviderBuilder().Build()
		}},
		{"OIDC", "oidc_role_arn", func() (providers.CredentialsProvider, error) {
			return providers.NewOIDCCredentialsProviderBuilder().Build()
		}},
		cli,
		{"profile of the SDKs", "profile", func() (providers.CredentialsProvider, error) {
			return providers.NewProfileCredentialsProviderBuilder().Build()
		}},
		// IMDSv1 could be read by any server-side request forgery on the instance.
		{"RAM role of the instance", "ecs_ram_role", func() (providers.CredentialsProvider, error) {
			return providers.NewECSRAMRoleCredentialsProviderBuilder().WithDisableIMDSv1(true).Build()
		}},
	}
}

// reason is the first line of an error, up to where the SDK quotes a file or an answer that it
// could not read: that may be all of it, with its secrets.
func reason(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\n")
	text, _, _ = strings.Cut(text, "{")
	return strings.TrimRight(text, ": ")
}

// Profile is what a profile of the aliyun CLI says beside its credentials.
type Profile struct {
	Name   string `json:"name"`
	Region string `json:"region_id"`
}

// ReadProfile reads a profile of the aliyun CLI, the current one without a name; without such
// a file or profile it is empty.
func ReadProfile(name string, getenv func(string) string) Profile {
	home, _ := os.UserHomeDir() // without one there is no file either
	text, err := os.ReadFile(cmp.Or(getenv("ALIBABA_CLOUD_CONFIG_FILE"), filepath.Join(home, ".aliyun", "config.json")))
	var file struct {
		Current  string    `json:"current"`
		Profiles []Profile `json:"profiles"`
	}
	if err != nil || json.Unmarshal(text, &file) != nil {
		return Profile{}
	}
	for _, p := range file.Profiles {
		if p.Name == cmp.Or(name, getenv("ALIBABA_CLOUD_PROFILE"), file.Current) {
			return p
		}
	}
	return Profile{}
}

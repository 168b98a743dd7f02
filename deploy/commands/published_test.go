package commands_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// published is the install script as Alibaba Cloud's documentation prints it in the
// UserData of a sample request, on the page "Create a trusted instance" of ECS
// (the same bytes in its Chinese and Japanese versions).
func published(t *testing.T) string {
	t.Helper()
	script, err := base64.StdEncoding.DecodeString(strings.TrimSpace(read(t, "testdata/published.b64")))
	check(t, err)
	return string(script)
}

// publishedAsks are the sites that the published script asks, in their order.
func publishedAsks(o outcome) []string {
	var out []string
	for _, asked := range o.Asked {
		if rest, ok := strings.CutPrefix(asked, "GET "); ok && !strings.Contains(rest, metadataHost) {
			out = append(out, strings.TrimSuffix(rest, "/download/linux/script/TrustAgentInstall.sh -"))
		}
	}
	return out
}

// runPublished runs the published script where http and metadata without a token are
// to be had.
func runPublished(t *testing.T, shell string, sites map[string]page) outcome {
	t.Helper()
	found, err := lookPath(shell)
	check(t, err)
	return newInstance(t, found, internet{Region: "cn-hangzhou", Sites: sites, AllowAll: true, Metadata: metadataOpen}).run(t, published(t))
}

// The four tests that follow keep why there is a script of ours.

func TestThePublishedScriptTakesAFailedDownloadForSuccess(t *testing.T) {
	o := runPublished(t, "bash", nil)
	if o.Status != 0 || !strings.Contains(o.Stdout, "trust client init done.") || o.Installed != "" {
		t.Errorf("ended with %d, stdout %q, installed %q; it used to claim success with nothing installed", o.Status, o.Stdout, o.Installed)
	}
	if asked := publishedAsks(o); len(asked) != 1 {
		t.Errorf("asked %q; it used to stop at the first failure", asked)
	}
}

func TestThePublishedScriptTakesSuccessForAFailureUnderDash(t *testing.T) {
	o := runPublished(t, "dash", map[string]page{internal: {Body: installer}, public: {Body: installer}})
	if o.Status != 1 || o.Installed != "installed\ninstalled" {
		t.Errorf("ended with %d, installed %q; it used to install from each site and to fail", o.Status, o.Installed)
	}
}

// That curl expands the braces, unless --globoff is set, is the one reason why site 3
// is found at all.
func TestThePublishedScriptHasNoHostNameForSite3(t *testing.T) {
	o := runPublished(t, "dash", nil)
	asked := publishedAsks(o)
	if len(asked) != 3 || asked[2] != "http://t-trustclient-cn-hangzhou.oss-{cn-hangzhou}-internal.aliyuncs.com" {
		t.Errorf("asked %q", asked)
	}
}

func TestThePublishedScriptPutsPlainHTTPIntoARootShell(t *testing.T) {
	o := runPublished(t, "bash", map[string]page{internal: {Body: installer}})
	if diff := cmp.Diff([]string{"http://" + internal}, publishedAsks(o)); diff != "" || o.Installed != "installed" {
		t.Errorf("installed %q; asked (-want +got):\n%s", o.Installed, diff)
	}
}

func TestThePublishedScriptFindsNoSiteWhereMetadataNeedsAToken(t *testing.T) {
	shell, err := lookPath("dash")
	check(t, err)
	net := internet{Region: "cn-hangzhou", Sites: map[string]page{internal: {Body: installer}}, AllowAll: true}
	o := newInstance(t, shell, net).run(t, published(t))
	if !slices.Contains(publishedAsks(o), "http://trustclient-.oss-.aliyuncs.com") || o.Installed != "" {
		t.Errorf("asked %q", publishedAsks(o))
	}
}

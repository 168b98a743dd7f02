package commands_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	internal = "trustclient-cn-hangzhou.oss-cn-hangzhou-internal.aliyuncs.com"
	public   = "trustclient-cn-hangzhou.oss-cn-hangzhou.aliyuncs.com"
	second   = "t-trustclient-cn-hangzhou.oss-cn-hangzhou-internal.aliyuncs.com"
)

const (
	installer = "#!/bin/sh\necho installed >>\"$INSTALLED\"\n"
	errorPage = "<html><body>502 Bad Gateway</body></html>\n"
	cutOff    = "#!/bin/sh\necho installed >>\"$INSTALLED\"\nif [ -d /usr/local/trust ]; th"
	forBash   = "#!/bin/bash\nwords=(installed by bash)\necho \"${words[*]}\" >>\"$INSTALLED\"\n"
	forPython = "#!/usr/bin/python3\nopen('installed', 'w')\n"
	failing   = "#!/bin/sh\necho ran >>\"$INSTALLED\"\nexit 7\n"
)

// asks is what the trust client's command asks for when it comes to these sites.
func asks(sites ...string) []string {
	out := []string{"PUT http://100.100.100.200/latest/api/token -", "GET http://100.100.100.200/latest/meta-data/region-id -"}
	for _, site := range sites {
		out = append(out, "GET https://"+site+"/download/linux/script/TrustAgentInstall.sh -rwx------")
	}
	return out
}

func TestTheTrustClientIsInstalledFromTheFirstSiteThatHasIt(t *testing.T) {
	for _, c := range []struct {
		name  string
		sites map[string]page
		asked []string
	}{
		{"all sites stand", map[string]page{internal: {Body: installer}, public: {Body: installer}, second: {Body: installer}}, asks(internal)},
		{"site 1 is down", map[string]page{public: {Body: installer}, second: {Body: installer}}, asks(internal, public)},
		{"sites 1 and 2 are down", map[string]page{second: {Body: installer}}, asks(internal, public, second)},
		{"site 1 answers with an error", map[string]page{internal: {Status: curlHTTP}, public: {Body: installer}}, asks(internal, public)},
		{"site 1 answers with an error page as if all were well", map[string]page{internal: {Body: errorPage}, public: {Body: installer}}, asks(internal, public)},
		{"site 1 answers with nothing", map[string]page{internal: {}, public: {Body: installer}}, asks(internal, public)},
		{"site 1 has half a script", map[string]page{internal: {Body: cutOff}, public: {Body: installer}}, asks(internal, public)},
		{"site 1 has a script in another language", map[string]page{internal: {Body: forPython}, public: {Body: installer}}, asks(internal, public)},
	} {
		t.Run(c.name, func(t *testing.T) {
			underEach(t, func(t *testing.T, shell string) {
				o := newInstance(t, shell, internet{Region: "cn-hangzhou", Sites: c.sites}).run(t, read(t, "trust-client.sh"))
				o.succeeded(t)
				if o.Installed != "installed" {
					t.Errorf("installers wrote %q, want one that ran once", o.Installed)
				}
				if diff := cmp.Diff(c.asked, o.Asked); diff != "" {
					t.Errorf("asked for (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestAnInstallerRunsUnderTheShellThatItNames(t *testing.T) {
	underEach(t, func(t *testing.T, shell string) {
		o := newInstance(t, shell, internet{Region: "cn-hangzhou", Sites: map[string]page{internal: {Body: forBash}}}).run(t, read(t, "trust-client.sh"))
		o.succeeded(t)
		if o.Installed != "installed by bash" {
			t.Errorf("installers wrote %q", o.Installed)
		}
	})
}

func TestWithoutAnInstallerTheTrustClientsCommandFailsAndSaysWhy(t *testing.T) {
	everywhere := func(p page) map[string]page { return map[string]page{internal: p, public: p, second: p} }
	for _, c := range []struct {
		name   string
		sites  map[string]page
		status int
		why    string
	}{
		{"no site stands", nil, 205, second + "/download/linux/script/TrustAgentInstall.sh: curl ended with 6"},
		{"all sites answer with an error", everywhere(page{Status: curlHTTP}), 205, "curl ended with 22"},
		{"all sites answer with an error page", everywhere(page{Body: errorPage}), 206, "not a shell script"},
		{"all sites answer with nothing", everywhere(page{}), 206, "an empty answer"},
		{"all sites have half a script", everywhere(page{Body: cutOff}), 206, "a broken shell script"},
		{"one site has half a script, the others are down", map[string]page{public: {Body: cutOff}}, 206, "a broken shell script"},
	} {
		t.Run(c.name, func(t *testing.T) {
			underEach(t, func(t *testing.T, shell string) {
				o := newInstance(t, shell, internet{Region: "cn-hangzhou", Sites: c.sites}).run(t, read(t, "trust-client.sh"))
				o.failed(t, c.status, c.why)
				if o.Installed != "" || len(o.Asked) != 5 {
					t.Errorf("ran %q after asking for %q", o.Installed, o.Asked)
				}
			})
		})
	}
}

func TestAnInstallerThatFailedHasTheLastWord(t *testing.T) {
	underEach(t, func(t *testing.T, shell string) {
		sites := map[string]page{internal: {Body: failing}, public: {Body: installer}}
		o := newInstance(t, shell, internet{Region: "cn-hangzhou", Sites: sites}).run(t, read(t, "trust-client.sh"))
		o.failed(t, 7, "the installer of https://"+internal)
		if diff := cmp.Diff(asks(internal), o.Asked); diff != "" || o.Installed != "ran" {
			t.Errorf("installers wrote %q; asked for (-want +got):\n%s", o.Installed, diff)
		}
	})
}

func TestWithoutARegionNoSiteIsAsked(t *testing.T) {
	for _, c := range []struct {
		name   string
		net    internet
		status int
		why    string
	}{
		{"the metadata service is not there", internet{Metadata: metadataSilent}, 202, "curl ended with 7"},
		{"it knows no tokens", internet{Metadata: metadataNoToken}, 202, "curl ended with 22"},
		{"its token is empty", internet{Metadata: metadataTokens}, 202, "an empty token"},
		{"it gives no region", internet{Metadata: metadataNoRegion}, 203, "curl ended with 22"},
		{"its region is empty", internet{Region: ""}, 203, "host name"},
		{"its region is another host", internet{Region: "x.example.com/cn-hangzhou"}, 203, "host name"},
		{"its region is a command", internet{Region: "cn$(touch pwned)"}, 203, "host name"},
		{"its region is two lines", internet{Region: "cn-hangzhou\nexample.com"}, 203, "host name"},
		{"its region is in capitals", internet{Region: "CN-HANGZHOU"}, 203, "host name"},
		{"its region is an error page", internet{Region: errorPage}, 203, "host name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			underEach(t, func(t *testing.T, shell string) {
				in := newInstance(t, shell, c.net)
				o := in.run(t, read(t, "trust-client.sh"))
				o.failed(t, c.status, c.why)
				for _, asked := range o.Asked {
					if !strings.Contains(asked, " http://100.100.100.200/") {
						t.Errorf("asked for %s", asked)
					}
				}
				if _, err := os.Stat(filepath.Join(in.dir, "home", "pwned")); err == nil {
					t.Error("the region id was executed")
				}
			})
		})
	}
}

func TestWhatTheTrustClientsCommandNeedsAndDoesNotFindIsNamed(t *testing.T) {
	underEach(t, func(t *testing.T, shell string) {
		in := newInstance(t, shell, internet{Region: "cn-hangzhou"})
		in.env = []string{"PATH=/nowhere"}
		in.run(t, read(t, "trust-client.sh")).failed(t, 201, "curl")
		in.env = []string{"TMPDIR=/nowhere"}
		o := in.run(t, read(t, "trust-client.sh"))
		if o.Status != 204 || !strings.HasSuffix(o.Stderr, "fleetwarden: cannot make a temporary folder\n") {
			t.Errorf("ended with %d and stderr %q", o.Status, o.Stderr)
		}
	})
}

func TestATimeoutLeavesNoTemporaryFile(t *testing.T) {
	underEach(t, func(t *testing.T, shell string) {
		sites := map[string]page{internal: {Kill: true}, public: {Body: installer}}
		o := newInstance(t, shell, internet{Region: "cn-hangzhou", Sites: sites}).run(t, read(t, "trust-client.sh"))
		if o.Status != 143 || o.Installed != "" {
			t.Errorf("ended with %d after installers wrote %q; want 143 and nothing", o.Status, o.Installed)
		}
	})
}

func TestTheTrustClientsCommandMayRunAgain(t *testing.T) {
	underEach(t, func(t *testing.T, shell string) {
		in := newInstance(t, shell, internet{Region: "cn-hangzhou", Sites: map[string]page{internal: {Body: installer}}})
		in.run(t, read(t, "trust-client.sh")).succeeded(t)
		o := in.run(t, read(t, "trust-client.sh"))
		o.succeeded(t)
		if diff := cmp.Diff(append(asks(internal), asks(internal)...), o.Asked); diff != "" {
			t.Errorf("asked for (-want +got):\n%s", diff)
		}
	})
}

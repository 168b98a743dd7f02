// Package commands_test runs the commands that deployment gives to Cloud Assistant: the
// shell scripts under each shell that may be sh on an instance, with a curl that plays
// the sites and the metadata service. Nothing here reaches a network.
package commands_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// internet is what the played curl finds.
type internet struct {
	Region   string          // what the metadata service calls the region
	Metadata metadata        // how the metadata service behaves
	Sites    map[string]page // by host; a host that is not here has no address
	AllowAll bool            // also what no script of ours may do: http, no --proto
}

type metadata string

const (
	metadataGood     metadata = ""            // as token-only: no token, no answer
	metadataSilent   metadata = "silent"      // nothing listens
	metadataTokens   metadata = "empty-token" // gives an empty token
	metadataNoToken  metadata = "no-token"    // does not know tokens
	metadataNoRegion metadata = "no-region"   // gives tokens and nothing else
	metadataOpen     metadata = "open"        // also answers without a token
)

// page is what a site answers: a body, or curl's status of a failure.
type page struct {
	Body   string
	Status int
	Kill   bool // ends the shell that called, as Cloud Assistant does at a timeout
}

// The statuses are those of curl's manual page.
const (
	curlProtocol = 1
	curlUsage    = 2
	curlNoHost   = 6
	curlRefused  = 7
	curlHTTP     = 22
)

const metadataHost = "100.100.100.200"

// TestMain makes this binary a curl where it is called by that name.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) != "curl" {
		os.Exit(m.Run())
	}
	status, err := curl(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "curl:", err)
	}
	os.Exit(status)
}

// request is what a command line asks for. Flags unknown here are errors, so that each
// one a script uses was considered.
type request struct {
	url, method, output, proto, proxy string
	headers                           []string
}

func parse(args []string) (request, error) {
	r := request{method: "GET"}
	ignored := ""
	values := map[string]*string{"--request": &r.method, "--output": &r.output, "--proto": &r.proto, "--noproxy": &r.proxy,
		"--connect-timeout": &ignored, "--max-time": &ignored, "--retry": &ignored}
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		switch target := values[arg]; {
		case target != nil || arg == "--header":
			if len(args) == 0 {
				return r, fmt.Errorf("%s needs a value", arg)
			}
			if target == nil {
				r.headers = append(r.headers, args[0])
			} else {
				*target = args[0]
			}
			args = args[1:]
		case arg == "--fail", arg == "--silent", arg == "--location", arg == "-s", arg == "-fsSL":
		case strings.HasPrefix(arg, "-") || r.url != "":
			return r, fmt.Errorf("not expected: %q", arg)
		default:
			r.url = arg
		}
	}
	return r, nil
}

func curl(args []string) (int, error) {
	r, err := parse(args)
	if err != nil {
		return curlUsage, err
	}
	var net internet
	text, err := os.ReadFile(os.Getenv("PLAYED_INTERNET"))
	if err == nil {
		err = json.Unmarshal(text, &net)
	}
	if err != nil {
		return curlUsage, err
	}
	if err := note(r); err != nil {
		return curlUsage, err
	}
	body, status := net.answer(r)
	if status != 0 {
		return status, nil
	}
	if r.output == "" {
		_, err = os.Stdout.WriteString(body)
	} else {
		err = os.WriteFile(r.output, []byte(body), 0o666)
	}
	return 0, err
}

// note writes down what was asked, and how open the folder is that the answer goes to.
func note(r request) error {
	f, err := os.OpenFile(os.Getenv("PLAYED_LOG"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	defer f.Close()
	mode := "-"
	if r.output != "" {
		info, err := os.Stat(filepath.Dir(r.output))
		if err != nil {
			return err
		}
		mode = info.Mode().Perm().String()
	}
	_, err = fmt.Fprintf(f, "%s %s %s\n", r.method, r.url, mode)
	return err
}

func (n internet) answer(r request) (string, int) {
	scheme, rest, _ := strings.Cut(r.url, "://")
	host, _, _ := strings.Cut(rest, "/") // not net/url: a garbled host must arrive as it is
	if host == metadataHost {
		return n.metadata(r)
	}
	if !n.AllowAll && (scheme != "https" || r.proto != "=https") {
		return "", curlProtocol
	}
	if _, err := url.Parse(r.url); err != nil {
		return "", curlNoHost
	}
	p, ok := n.Sites[host]
	switch {
	case !ok:
		return "", curlNoHost
	case p.Kill:
		if err := syscall.Kill(os.Getppid(), syscall.SIGTERM); err != nil {
			return "", curlUsage
		}
		return "", curlNoHost
	}
	return p.Body, p.Status
}

func (n internet) metadata(r request) (string, int) {
	token := ""
	for _, h := range r.headers {
		if v, ok := strings.CutPrefix(h, "X-aliyun-ecs-metadata-token: "); ok {
			token = v
		}
	}
	asksToken := r.method == "PUT" && strings.HasSuffix(r.url, "/latest/api/token") &&
		strings.HasPrefix(strings.Join(r.headers, "\n"), "X-aliyun-ecs-metadata-token-ttl-seconds: ")
	asksRegion := r.method == "GET" && strings.HasSuffix(r.url, "/latest/meta-data/region-id")
	switch {
	case n.Metadata == metadataSilent:
		return "", curlRefused
	case !n.AllowAll && r.proxy != "*":
		return "", curlUsage
	case asksToken && n.Metadata == metadataTokens:
		return "", 0
	case asksToken && n.Metadata != metadataNoToken:
		return "a-token", 0
	case asksRegion && n.Metadata != metadataNoRegion && (token == "a-token" || n.Metadata == metadataOpen):
		return n.Region, 0
	}
	return "", curlHTTP
}

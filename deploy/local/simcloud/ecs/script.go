package ecs

import (
	"encoding/base64"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// This cloud executes no script. It takes a script for what its text says, which
// is an assumption through and through:
//
//   - A script that names Security Center's installer, AliAqsInstall, downloads
//     and runs it, with the codes that stand behind -k= or in any parameter.
//     That takes 90 s, longer than a command's default timeout of 60 s. The
//     installer exits with 0 whatever becomes of the agent (documented: only
//     the client's status counts); Security Center decides about the code.
//   - A script that names TrustAgentInstall installs the trust client, in 10 s.
//   - All others take 5 s and do nothing.
//
// User data is a script that runs once, when the instance first becomes Running.

const (
	usualRun     = 5 * time.Second
	trustRun     = 10 * time.Second
	installerRun = 90 * time.Second
)

func installs(script string) bool { return strings.Contains(script, "AliAqsInstall") }

func trusts(script string) bool { return strings.Contains(script, "TrustAgentInstall") }

// lengthOf is how long a script runs.
func lengthOf(script string) time.Duration {
	switch {
	case installs(script):
		return installerRun
	case trusts(script):
		return trustRun
	}
	return usualRun
}

var codeArgument = regexp.MustCompile(`-k=["']?([A-Za-z0-9]+)`)

// codesOf are the words that may be install codes: those behind -k=, and the
// values of parameters.
func codesOf(script string, params map[string]string) []string {
	var codes []string
	for _, m := range codeArgument.FindAllStringSubmatch(script, -1) {
		codes = append(codes, m[1])
	}
	for _, k := range slices.Sorted(maps.Keys(params)) {
		codes = append(codes, params[k])
	}
	return codes
}

// carryOut does to the world what a script that succeeded does. The caller holds
// the mutex.
func (s *Service) carryOut(m Machine, script string, params map[string]string) {
	if installs(script) {
		s.security.Installer(m, codesOf(script, params))
	}
	if trusts(script) {
		m.i.trustClient = true
	}
}

// firstBoot carries user data out. What is no Base64 was refused at launch. The
// caller holds the mutex.
func (s *Service) firstBoot(m Machine) {
	if script, err := base64.StdEncoding.DecodeString(m.i.spec.userData); err == nil {
		s.carryOut(m, string(script), nil)
	}
}

// outputOf is what a script writes. The installer's harmless complaints are
// documented; their words are invented.
func outputOf(script string, o Outcome) string {
	switch {
	case o == Fails, o == NoSite:
		return "simcloud: the command fails here\n"
	case installs(script):
		return "chkconfig: command not found\nsimcloud: installer done\n"
	default:
		return "simcloud: done\n"
	}
}

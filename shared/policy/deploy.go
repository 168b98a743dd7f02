package policy

import (
	"fmt"
	"strings"
	"unicode"

	"fleetwarden/shared/fleet"
)

// DeployCommand is the command that deploys a region with a policy file, for a shell. Without a
// file, make takes that of the repository.
func DeployCommand(file string, region, home fleet.Region) string {
	if file != "" {
		file = "POLICY=" + quoted(file) + " "
	}
	return fmt.Sprintf("%smake deploy REGION=%s HOME_REGION=%s", file, region, home)
}

// quoted is a word for a shell.
func quoted(word string) string {
	plain := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("/._-", r) }
	if !strings.ContainsFunc(word, func(r rune) bool { return !plain(r) }) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

package manifest

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// owner is the account in the name of a resource.
var owner = regexp.MustCompile(`acs:[a-z]+:[a-z0-9-]*:([0-9]+):`)

// CheckRendered compares an account with that of "s", as it stands in what "s preview"
// rendered. The exit status of "s" says nothing: it is 0 where nothing was rendered.
func CheckRendered(text, account string) error {
	found := owner.FindAllStringSubmatch(text, -1)
	switch {
	case len(found) == 0:
		return errors.New(`"s preview" rendered no resource of an account: is its access there (s config get)?`)
	case strings.Contains(text, "${"):
		return errors.New(`"s preview" left a variable as it is: see its output`)
	}
	for _, m := range found {
		if m[1] != account {
			return fmt.Errorf("Serverless Devs would deploy into account %s, the credentials of the environment are of %s: give both the same (S_ACCESS names another access of s)", m[1], account)
		}
	}
	return nil
}

package invocation

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// PolicyVariable is the environment variable that names the policy file. A relative
// path starts at the folder of the function's code.
const PolicyVariable = "FLEETWARDEN_POLICY"

// HomeVariable is the environment variable with the region of the functions that exist
// once.
const HomeVariable = "FLEETWARDEN_HOME_REGION"

// LoadPolicy reads the policy file that the environment names. Without one, all controls
// are in audit mode. An invalid file is an error: then no write may follow. So is one whose
// home region is not that of the functions that exist once: messages to them would not be
// received.
func LoadPolicy(getenv func(string) string) (*policy.Policy, error) {
	p, err := namedPolicy(getenv)
	if err != nil {
		return nil, err
	}
	deployed := fleet.Region(getenv(HomeVariable))
	p.HomeRegion = cmp.Or(p.HomeRegion, deployed)
	if deployed != "" && p.HomeRegion != deployed {
		return nil, fmt.Errorf("the policy's homeRegion is %s, and %s is %s: one of them is wrong", p.HomeRegion, HomeVariable, deployed)
	}
	return p, nil
}

func namedPolicy(getenv func(string) string) (*policy.Policy, error) {
	path := getenv(PolicyVariable)
	if path == "" {
		return policy.Default(), nil
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(getenv("FC_FUNC_CODE_PATH"), path)
	}
	return ReadPolicy(path)
}

// ReadPolicy reads a policy file.
func ReadPolicy(path string) (*policy.Policy, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the policy file: %w", err)
	}
	p, err := policy.Load(filepath.Base(path), data)
	if err != nil {
		return nil, fmt.Errorf("loading the policy file: %w", err)
	}
	return p, nil
}

package stack

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Confirm runs the last step of "make deploy" in each region, home first: the deployer's own
// program compares what stands with the manifest, and leaves the ledger's record of it.
func (s *Stack) Confirm(ctx context.Context) error {
	for _, region := range s.o.Regions {
		cmd := exec.CommandContext(ctx, filepath.Join(s.o.BinDir, Rollout), "confirm",
			"-manifest", s.o.Manifest, "-policy", s.policy(), "-build", "local")
		cmd.Env = append(os.Environ(), EndpointVariable+"="+s.o.Server.URL(),
			"ALIBABA_CLOUD_ACCESS_KEY_ID=local-ak", "ALIBABA_CLOUD_ACCESS_KEY_SECRET=local-sk", "ALIBABA_CLOUD_SECURITY_TOKEN=",
			"REGION="+region, "HOME_REGION="+s.home(), "FLEETWARDEN_COMMANDS="+s.commandEnv(region), "FLEETWARDEN_MEMBERS="+strings.Join(s.o.Members, ","))
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("confirming %s: %w\n%s", region, err, out)
		}
		if _, err := s.o.Log.Write(out); err != nil {
			return err
		}
	}
	return nil
}

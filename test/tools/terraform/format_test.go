package terraform_test

import (
	"bytes"
	"testing"

	"github.com/hashicorp/hcl/v2/hclwrite"
)

// TestTheConfigurationIsFormatted does what "terraform fmt -check" does, but for what that
// rewrites beyond layout, as quoted types.
func TestTheConfigurationIsFormatted(t *testing.T) {
	for _, root := range roots {
		for _, path := range glob(t, root+"/*.tf") {
			if source := read(t, path); !bytes.Equal(source, hclwrite.Format(source)) {
				t.Errorf("terraform fmt would change %s", path)
			}
		}
	}
}

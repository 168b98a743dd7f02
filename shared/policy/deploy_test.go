package policy

import "testing"

func TestTheCommandThatDeploysNamesItsFileForAShell(t *testing.T) {
	for file, want := range map[string]string{"": "", "my/policy.yaml": "POLICY=my/policy.yaml ", "a b'c; d.yaml": `POLICY='a b'\''c; d.yaml' `, "$(x)": "POLICY='$(x)' "} {
		if got := DeployCommand(file, "cn-shanghai", "cn-hangzhou"); got != want+"make deploy REGION=cn-shanghai HOME_REGION=cn-hangzhou" {
			t.Error(got)
		}
	}
}

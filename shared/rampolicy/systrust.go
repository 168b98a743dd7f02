package rampolicy

import "encoding/json"

// SysTrustActions returns the four actions by which the trust client of an
// instance reports to Security Center's trusted system. The service has no
// resource-level permissions: they are granted on "*".
func SysTrustActions() []string {
	return []string{
		"yundun-systrust:GenerateNonce",
		"yundun-systrust:GenerateAikcert",
		"yundun-systrust:RegisterMessage",
		"yundun-systrust:PutMessage",
	}
}

// SysTrustPolicy returns the policy that grants [SysTrustActions] and nothing
// else.
func SysTrustPolicy() string {
	return document([]string{text(policyText{
		Action: SysTrustActions(), Effect: "Allow", Resource: "*",
	})})
}

// ECSTrust returns the trust document of a role for instances: ECS of the
// role's own account may assume it.
func ECSTrust() string {
	return document([]string{text(trustText{
		Action: assumeRole, Effect: "Allow", Principal: serviceText{Service: "ecs.aliyuncs.com"},
	})})
}

// assumeRole is the action of a trust document.
const assumeRole = "sts:AssumeRole"

// policyText and trustText are statements as we print them, in the vendor's
// order of names.
type policyText struct {
	Action   []string
	Effect   string
	Resource string
}

type trustText struct {
	Action    string
	Effect    string
	Principal serviceText
	Condition map[string]map[string]string `json:",omitempty"`
}

type serviceText struct{ Service any } // a string or a list of strings

// text prints a statement. None of the types above can fail to marshal.
func text(statement any) string {
	b, err := json.Marshal(statement)
	if err != nil {
		return ""
	}
	return string(b)
}

// document wraps statements, each as it stands.
func document(statements []string) string {
	out := `{"Statement":[`
	for i, s := range statements {
		if i > 0 {
			out += ","
		}
		out += s
	}
	return out + `],"Version":"1"}`
}

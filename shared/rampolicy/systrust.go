package rampolicy

// SysTrustActions returns the four actions by which the trust client of an
// instance reports to Security Center's trusted system. They are granted on
// "*", as
// https://www.alibabacloud.com/help/en/ecs/user-guide/use-the-trusted-feature-of-security-enhanced-instances
// does.
func SysTrustActions() []string {
	return []string{
		"yundun-systrust:GenerateNonce",
		"yundun-systrust:GenerateAikcert",
		"yundun-systrust:RegisterMessage",
		"yundun-systrust:PutMessage",
	}
}

// SysTrustPolicy returns the policy that grants only [SysTrustActions].
func SysTrustPolicy() string {
	return `{"Statement":[{"Action":["yundun-systrust:GenerateNonce","yundun-systrust:GenerateAikcert",` +
		`"yundun-systrust:RegisterMessage","yundun-systrust:PutMessage"],` +
		`"Effect":"Allow","Resource":"*"}],"Version":"1"}`
}

// ECSTrust returns the trust document of a role for instances: ECS of the
// role's own account may assume it.
func ECSTrust() string {
	return `{"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow",` +
		`"Principal":{"Service":"` + ECSService + `"}}],"Version":"1"}`
}

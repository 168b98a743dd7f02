package meta

// required names parameters that the published metadata does not mark as
// required, though the API refuses a call without them.
// RAM: the request tables of the RAM 2015-05-01 reference.
func required() map[string]string {
	return map[string]string{
		"ram:GetRole":              "RoleName",
		"ram:CreateRole":           "RoleName AssumeRolePolicyDocument",
		"ram:UpdateRole":           "RoleName",
		"ram:DeleteRole":           "RoleName",
		"ram:AttachPolicyToRole":   "PolicyType PolicyName RoleName",
		"ram:DetachPolicyFromRole": "PolicyType PolicyName RoleName",
		"ram:ListPoliciesForRole":  "RoleName",
		"ram:GetPolicy":            "PolicyName PolicyType",
		"ram:CreatePolicy":         "PolicyName PolicyDocument",
		"ram:DeletePolicy":         "PolicyName",
		"ram:CreatePolicyVersion":  "PolicyName PolicyDocument",
		"ram:ListPolicyVersions":   "PolicyName PolicyType",
		"ram:DeletePolicyVersion":  "PolicyName VersionId",
	}
}

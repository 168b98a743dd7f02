package invocation

import "strings"

// abroad are the actions that each function may take in another account at most: those of
// its files in deploy/ram, without those it needs at home only. The role there decides on
// the resources.
var abroad = map[string][]string{
	"attach-role": {
		"ecs:AttachInstanceRamRole", "ecs:DescribeInstanceRamRole", "ecs:DescribeInstances", "ecs:DescribeRegions",
		"ecs:DetachInstanceRamRole", "ram:AttachPolicyToRole", "ram:CreatePolicy", "ram:CreateRole", "ram:GetPolicy", "ram:GetRole",
		"ram:ListPoliciesForRole", "ram:PassRole",
	},
	"backfill": {
		"ecs:AttachInstanceRamRole", "ecs:DescribeCloudAssistantStatus", "ecs:DescribeDisks",
		"ecs:DescribeImageSharePermission", "ecs:DescribeImages", "ecs:DescribeInstanceRamRole", "ecs:DescribeInstances",
		"ecs:DescribeInvocations", "ecs:DescribeRegions", "ecs:DescribeSnapshots", "ecs:DescribeUserData",
		"ecs:DetachInstanceRamRole", "ecs:StartInstances", "ecs:StopInstances", "ecs:TagResources", "ecs:UntagResources",
		"kms:DescribeAccountKmsStatus", "kms:DescribeKey", "ram:AttachPolicyToRole", "ram:CreatePolicyVersion",
		"ram:DetachPolicyFromRole", "ram:GetPolicy", "ram:GetRole", "ram:ListPoliciesForRole", "ram:ListTagResources",
		"ram:PassRole", "ram:TagResources", "ram:UntagResources", "ram:UpdateRole",
		"resourcesharing:DescribeRegions", "resourcesharing:ListResourceShareAssociations", "yundun-sas:DescribeCloudCenterInstances",
	},
	"doctor": {"ram:GetPolicy", "ram:GetRole", "ram:ListPoliciesForRole"}, // the role itself
	"push-agent": {
		"ecs:DescribeCloudAssistantStatus", "ecs:DescribeInstances", "ecs:DescribeInvocations", "ecs:DescribeUserData",
		"ecs:InvokeCommand", "ecs:RunCommand", "ecs:TagResources", "yundun-sas:AddInstallCode",
		"yundun-sas:DescribeCloudCenterInstances", "yundun-sas:DescribeInstallCodes",
		"yundun-sas:OperateAgentClientInstall", "yundun-sas:RefreshAssets",
	},
	"setup-share-role": {
		"ecs:DescribeDisks", "ecs:DescribeImageSharePermission", "ecs:DescribeImages",
		"ecs:DescribeRegions", "ecs:DescribeSnapshots", "kms:DescribeKey",
		"ram:AttachPolicyToRole", "ram:CreatePolicy", "ram:CreatePolicyVersion", "ram:CreateRole",
		"ram:DetachPolicyFromRole", "ram:GetPolicy", "ram:GetRole", "ram:ListPoliciesForRole", "ram:ListTagResources",
		"ram:TagResources", "ram:UpdateRole", "resourcesharing:DescribeRegions", "resourcesharing:ListResourceShareAssociations",
	},
	"sweep": {
		"ecs:DescribeCloudAssistantStatus", "ecs:DescribeDisks",
		"ecs:DescribeImageSharePermission", "ecs:DescribeImages", "ecs:DescribeInstanceRamRole", "ecs:DescribeInstances",
		"ecs:DescribeInvocations", "ecs:DescribeRegions", "ecs:DescribeSnapshots", "ecs:DescribeUserData",
		"kms:DescribeAccountKmsStatus", "kms:DescribeKey", "ram:GetPolicy", "ram:GetRole", "ram:ListPoliciesForRole",
		"ram:ListTagResources", "resourcesharing:DescribeRegions", "resourcesharing:ListResourceShareAssociations", "yundun-sas:DescribeCloudCenterInstances",
	},
	"validate-instance": {
		"ecs:DescribeDisks", "ecs:DescribeImages", "ecs:DescribeInstances", "ecs:StopInstances", "ecs:TagResources",
		"kms:DescribeAccountKmsStatus",
	},
	"watch-shares": {
		"resourcesharing:ListResourceShareAssociations",
	},
}

// SessionPolicy returns the policy of a function's session of a role in another account; ""
// for a function without work there. That role serves all functions, and so has the rights
// of all; a session has those that both its role and its policy allow. A session's policy
// may have 2048 characters, too few for resources.
//
// It limits a function's code to its purpose, but not other code that runs under the
// function's role: that can assume the role without it.
func SessionPolicy(function string) string {
	actions := abroad[function]
	if len(actions) == 0 {
		return ""
	}
	return `{"Version":"1","Statement":[{"Effect":"Allow","Action":["` + strings.Join(actions, `","`) + `"],"Resource":"*"}]}`
}

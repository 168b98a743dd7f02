package meta

// withdrawn names parameters that are announced for removal, or do nothing any more. They
// are still taken. Field comments of ecs-20140526 v4.26.10 ("This parameter will be removed
// in the future", "is no longer used", "is deprecated") and of sas-20181203 v2.28.0
// ("Deprecated"), as far as they are about APIs named here; PageNumber and PageSize of
// DescribeDisks: its reference page.
func withdrawn() map[string]string {
	return map[string]string{
		"ecs:CreateInstance":               "ClusterId",
		"ecs:DescribeDisks":                "PageNumber PageSize",
		"ecs:DescribeInstances":            "PageNumber PageSize",
		"ecs:DescribeInvocations":          "PageNumber PageSize",
		"ecs:InvokeCommand":                "Timed",
		"ecs:RunCommand":                   "Timed",
		"ecs:StopInstance":                 "ConfirmStop",
		"sas:DescribeCloudCenterInstances": "RegionId",
	}
}

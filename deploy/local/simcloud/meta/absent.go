package meta

import "slices"

// Absent reports whether a product has no endpoint in a region where ECS is served. A
// client that asks all the same finds no such host. Dated 2025-12, from the endpoints of
// the vendor's API metadata and the endpoint pages of KMS and Resource Sharing; what is
// not listed is served.
func Absent(product, region string) bool {
	return slices.Contains(map[string][]string{
		"kms": {"cn-nanjing", "us-southeast-1"},
		"resourcesharing": {"cn-nanjing", "cn-fuzhou", "me-east-1", "na-south-1", "ap-south-1", "ap-southeast-2",
			"cn-zhengzhou-jva", "us-southeast-1",
			"cn-hangzhou-finance", "cn-shanghai-finance-1", "cn-shenzhen-finance-1", "cn-beijing-finance-1"},
	}[product], region)
}

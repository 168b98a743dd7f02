package aliyun

import (
	"slices"
	"strings"

	"fleetwarden/shared/fleet"
)

// Product is a product: its short name, its API version and its endpoints.
type Product struct {
	Name    string
	Version string
	// Endpoint returns the host that serves a region.
	Endpoint func(fleet.Region) string
}

// The products in use. Versions and endpoint rules are those of the vendor's published
// metadata.
var (
	ECS = Product{"ecs", "2014-05-26", ecsHost}
	RAM = Product{"ram", "2015-05-01", central("ram.aliyuncs.com")}
	STS = Product{"sts", "2015-04-01", regional("sts")}
	KMS = Product{"kms", "2016-01-20", regional("kms")}
	SAS = Product{"sas", "2018-12-03", securityCenterHost}
	// A share is in the region of the shared resource.
	ResourceSharing = Product{"resourcesharing", "2020-01-10", regional("resourcesharing")}
	ResourceManager = Product{"resourcemanager", "2020-03-31", central("resourcemanager.aliyuncs.com")}
	ActionTrail     = Product{"actiontrail", "2020-07-06", regional("actiontrail")}
	FC              = Product{"fc", "2023-03-30", regional("fcv3")}
	// The settings of queues; their messages have an API of their own, in package mns.
	MNSOpen     = Product{"mns-open", "2022-01-19", regional("mns-open")}
	EventBridge = Product{"eventbridge", "2020-04-01", regional("eventbridge-console")}
	CMS         = Product{"cms", "2019-01-01", regional("metrics")}
	DirectMail  = Product{"dm", "2015-11-23", directMailHost}
)

// absent are the regions of ECS where a product has no endpoint: the endpoints of the
// vendor's API metadata, and the endpoint pages of KMS and Resource Sharing, 2025-12. Cloud
// Assistant is not among them: its APIs are ECS's and answer RegionId.ApiNotSupported
// themselves ([fleet.Absent]).
var absent = map[string][]fleet.Region{
	"kms": {"cn-nanjing", "us-southeast-1"},
	"resourcesharing": {"cn-nanjing", "cn-fuzhou", "me-east-1", "na-south-1", "ap-south-1", "ap-southeast-2",
		"cn-zhengzhou-jva", "us-southeast-1",
		"cn-hangzhou-finance", "cn-shanghai-finance-1", "cn-shenzhen-finance-1", "cn-beijing-finance-1"},
}

// Absent reports whether a product is known not to be served in a region. Other regions may
// lack it too: Resource Sharing lists its own with DescribeRegions.
func (p Product) Absent(r fleet.Region) bool { return slices.Contains(absent[p.Name], r) }

func central(host string) func(fleet.Region) string {
	return func(fleet.Region) string { return host }
}

func regional(product string) func(fleet.Region) string {
	return func(r fleet.Region) string {
		if r == "" {
			return product + ".aliyuncs.com"
		}
		return product + "." + string(r) + ".aliyuncs.com"
	}
}

// ecsDashed are the public regions whose ECS endpoint is written with a dash, from the
// endpoint map in the ECS SDK.
var ecsDashed = map[fleet.Region]bool{"cn-hangzhou": true}

func ecsHost(r fleet.Region) string {
	if ecsDashed[r] {
		return "ecs-" + string(r) + ".aliyuncs.com"
	}
	return regional("ecs")(r)
}

// securityCenterHost: Security Center has two centers, for the regions of China and for all
// others; the endpoint map of its SDK names them tds.
func securityCenterHost(r fleet.Region) string {
	if r == "" || strings.HasPrefix(string(r), "cn-") {
		return "tds.aliyuncs.com"
	}
	return "tds.ap-southeast-1.aliyuncs.com"
}

// directMailHost: DirectMail has four regions, each with sender addresses of its own, and a
// page of endpoints (https://www.alibabacloud.com/help/en/direct-mail/api-endpoints, 2025-10)
// that lists Sydney as replaced. All other regions go to the one that the vendor advises for
// what is deployed there: Hangzhou for the mainland of China, else Singapore, the US or Germany.
func directMailHost(r fleet.Region) string {
	switch area, _, _ := strings.Cut(string(r), "-"); {
	case r == "", area == "cn" && r != "cn-hongkong":
		return "dm.aliyuncs.com"
	case area == "us", area == "na":
		return "dm.us-east-1.aliyuncs.com"
	case area == "eu":
		return "dm.eu-central-1.aliyuncs.com"
	}
	return "dm.ap-southeast-1.aliyuncs.com"
}

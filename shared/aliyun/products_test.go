package aliyun_test

import (
	"testing"

	"fleetwarden/deploy/local/simcloud/meta"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

// The local cloud has a table of its own, from the same pages: where they differ, one of
// them was misread.
func TestProductsAreMissingWhereTheLocalCloudLacksThem(t *testing.T) {
	regions := []fleet.Region{
		"cn-hangzhou", "cn-shanghai", "cn-beijing", "cn-shenzhen", "cn-qingdao", "cn-zhangjiakou", "cn-huhehaote", "cn-wulanchabu",
		"cn-heyuan", "cn-guangzhou", "cn-chengdu", "cn-hongkong", "cn-wuhan-lr", "cn-nanjing", "cn-fuzhou", "cn-zhengzhou-jva",
		"ap-northeast-1", "ap-northeast-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-5", "ap-southeast-6",
		"ap-southeast-7", "ap-south-1", "us-east-1", "us-west-1", "us-southeast-1", "na-south-1", "eu-west-1", "eu-central-1",
		"me-east-1", "me-central-1", "cn-hangzhou-finance", "cn-shanghai-finance-1", "cn-shenzhen-finance-1", "cn-beijing-finance-1",
	}
	missing := 0
	for _, p := range []aliyun.Product{aliyun.ECS, aliyun.RAM, aliyun.STS, aliyun.KMS, aliyun.SAS, aliyun.ResourceSharing} {
		for _, r := range regions {
			if got, want := p.Absent(r), meta.Absent(p.Name, string(r)); got != want {
				t.Errorf("%s in %s: absent %v, in the local cloud %v", p.Name, r, got, want)
			} else if got {
				missing++
			}
		}
	}
	if missing != 14 {
		t.Errorf("%d products are missing somewhere", missing)
	}
}

func TestDirectMailIsAskedInTheRegionOfItsPartOfTheWorld(t *testing.T) {
	for region, want := range map[fleet.Region]string{
		"": "dm.aliyuncs.com", "cn-hangzhou": "dm.aliyuncs.com", "cn-beijing": "dm.aliyuncs.com", "cn-hangzhou-finance": "dm.aliyuncs.com",
		"cn-hongkong": "dm.ap-southeast-1.aliyuncs.com", "ap-southeast-1": "dm.ap-southeast-1.aliyuncs.com", "ap-northeast-1": "dm.ap-southeast-1.aliyuncs.com",
		"me-east-1": "dm.ap-southeast-1.aliyuncs.com", "us-west-1": "dm.us-east-1.aliyuncs.com", "us-east-1": "dm.us-east-1.aliyuncs.com",
		"na-south-1": "dm.us-east-1.aliyuncs.com", "eu-west-1": "dm.eu-central-1.aliyuncs.com", "eu-central-1": "dm.eu-central-1.aliyuncs.com",
	} {
		if got := aliyun.DirectMail.Endpoint(region); got != want {
			t.Errorf("%q: got %s, want %s", region, got, want)
		}
	}
}

package sas

import "fleetwarden/deploy/local/simcloud/wire"

// DescribeInstallCodesRequest has no parameters.
type DescribeInstallCodesRequest struct{}

// DescribeInstallCodesResponse is the answer of DescribeInstallCodes.
type DescribeInstallCodesResponse struct{ InstallCodes []InstallCode }

// InstallCode is an install code in a response. ExpiredDate is in milliseconds.
type InstallCode struct {
	CaptchaCode, Os, VendorName, GroupName, ProxyCluster string
	ExpiredDate, GroupId                                 int64
	OnlyImage                                            bool
}

// DescribeInstallCodes lists the account's install codes, expired ones too
// (assumed), so that the caller has to look. 10 calls a second are documented;
// see wire.PublishedQuotas.
func (s *Service) DescribeInstallCodes(c *wire.Call, _ *DescribeInstallCodesRequest) (*DescribeInstallCodesResponse, error) {
	out := &DescribeInstallCodesResponse{InstallCodes: []InstallCode{}}
	for _, x := range s.codes[c.Caller.Account] {
		out.InstallCodes = append(out.InstallCodes, InstallCode{
			CaptchaCode: x.captcha, Os: x.os, VendorName: x.vendor, GroupName: "default", ProxyCluster: x.proxy,
			ExpiredDate: x.expires.UnixMilli(), GroupId: x.group, OnlyImage: x.onlyImage,
		})
	}
	return out, nil
}

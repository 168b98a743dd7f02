package sas

import (
	"cmp"
	"slices"
	"time"

	"fleetwarden/deploy/local/simcloud/wire"
)

// AddInstallCodeRequest describes an install code. ExpiredDate is in
// milliseconds.
type AddInstallCodeRequest struct {
	Os, VendorName, ProxyCluster string
	ExpiredDate, GroupId         int64
	OnlyImage                    bool
}

// usualLife is how long a code without an ExpiredDate lives; assumed.
const usualLife = 24 * time.Hour

// AddInstallCode makes an install code. It answers nothing but a request id:
// DescribeInstallCodes shows the code.
func (s *Service) AddInstallCode(c *wire.Call, in *AddInstallCodeRequest) (*Empty, error) {
	now := s.w.Clock.Now()
	x := code{
		os: cmp.Or(in.Os, "linux"), vendor: cmp.Or(in.VendorName, usualVendor), proxy: in.ProxyCluster,
		group: in.GroupId, expires: now.Add(usualLife), onlyImage: in.OnlyImage,
	}
	if in.ExpiredDate != 0 {
		x.expires = time.UnixMilli(in.ExpiredDate).UTC()
	}
	switch {
	case !slices.Contains(systems, x.os):
		return nil, invalid("The specified Os is not valid: %s.", in.Os)
	case !x.expires.After(now):
		return nil, invalid("The specified ExpiredDate has passed.")
	}
	x.captcha = s.newCaptcha()
	s.codes[c.Caller.Account] = append(s.codes[c.Caller.Account], x)
	return &Empty{}, nil
}

package sas

import (
	"slices"

	"fleetwarden/deploy/local/simcloud/wire"
)

// DeleteInstallCodeRequest names an install code.
type DeleteInstallCodeRequest struct{ CaptchaCode string }

// DeleteInstallCode takes an install code away. That one that is not there is an
// error is assumed.
func (s *Service) DeleteInstallCode(c *wire.Call, in *DeleteInstallCodeRequest) (*Empty, error) {
	before := s.codes[c.Caller.Account]
	after := slices.DeleteFunc(slices.Clone(before), func(x code) bool { return x.captcha == in.CaptchaCode })
	if len(after) == len(before) {
		return nil, invalid("The specified CaptchaCode does not exist.")
	}
	s.codes[c.Caller.Account] = after
	return &Empty{}, nil
}

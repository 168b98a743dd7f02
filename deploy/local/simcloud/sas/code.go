package sas

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"time"

	"fleetwarden/deploy/local/simcloud/ecs"
)

// code is an install code.
type code struct {
	captcha, os, vendor, proxy string
	group                      int64
	expires                    time.Time
	onlyImage                  bool
}

// usualVendor is the documented default of VendorName.
const usualVendor = "ALIYUN"

// accepts reports whether one of the words is a good code for an instance. The
// world's mutex is held.
func (s *Service) accepts(m ecs.Machine, words []string) bool {
	now := s.w.Clock.Now()
	return slices.ContainsFunc(s.codes[m.Account()], func(c code) bool {
		return slices.Contains(words, c.captcha) && now.Before(c.expires) && !c.onlyImage &&
			c.vendor == usualVendor && c.os == m.OS()
	})
}

// newCaptcha is a code that looks like the vendor's: letters and digits.
func (s *Service) newCaptcha() string {
	s.records++
	sum := sha256.Sum256([]byte("code " + strconv.FormatInt(s.records, 10)))
	return new(big.Int).SetBytes(sum[:]).Text(62)[:10]
}

// CodeSpec is an install code to seed.
type CodeSpec struct {
	Account string
	Code    string // empty for a new one
	OS      string // linux if empty
	Expires time.Time
	// OnlyImage codes are for making images.
	OnlyImage bool
}

// SeedCode adds an install code, at once, and returns it.
func (s *Service) SeedCode(in CodeSpec) (string, error) {
	s.w.Lock()
	defer s.w.Unlock()
	c := code{captcha: in.Code, os: cmp.Or(in.OS, "linux"), vendor: usualVendor, expires: in.Expires, onlyImage: in.OnlyImage}
	if c.captcha == "" {
		c.captcha = s.newCaptcha()
	}
	if !slices.Contains(s.w.Accounts, in.Account) || !slices.Contains(systems, c.os) {
		return "", fmt.Errorf("seeding an install code: no account %q or no system %q", in.Account, c.os)
	}
	s.codes[in.Account] = append(s.codes[in.Account], c)
	return c.captcha, nil
}

// systems are the documented values of Os.
var systems = []string{"linux", "windows", "windows-2003"}

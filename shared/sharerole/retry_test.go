package sharerole_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/sharerole"
)

// album is an account's images in memory.
type album struct {
	*cloud
	with []fleet.AccountID
	// deaf ignores the accounts of the next call, and says that it went well.
	deaf bool
}

func (a *album) ImageSharees(context.Context, fleet.Region, string) (out []fleet.AccountID, err error) {
	err = a.call("ImageSharees", false, func() error { out = slices.Clone(a.with); return nil })
	return out, err
}

func (a *album) ShareImage(_ context.Context, region fleet.Region, image string, with []fleet.AccountID) error {
	return a.call("ShareImage", true, func() error {
		if region != "cn-hangzhou" || image != "m-1" {
			return errors.New("another image")
		}
		if !a.deaf {
			a.with = append(a.with, with...)
		}
		return nil
	})
}

func TestAShareIsRepeatedForThoseWhoLackIt(t *testing.T) {
	ch := change(fleet.RetryShare, fleet.KindImage, "m-1", "", "2 3")
	ch.Ref.Scope.Region = "cn-hangzhou"
	for name, x := range map[string]struct {
		have  []fleet.AccountID
		fails map[string]error
		deaf  bool
		want  fleet.State
		wrote []string
	}{
		"nobody has it":       {nil, nil, false, fleet.Done, []string{"ShareImage"}},
		"one has it":          {[]fleet.AccountID{"3"}, nil, false, fleet.Done, []string{"ShareImage"}},
		"both have it":        {[]fleet.AccountID{"3", "2"}, nil, false, fleet.Skipped, nil},
		"answer lost":         {nil, map[string]error{"ShareImage": lost}, false, fleet.Done, []string{"ShareImage"}},
		"lost before it":      {nil, map[string]error{"ShareImage": lost}, true, fleet.Later, []string{"ShareImage"}},
		"denied":              {nil, map[string]error{"ShareImage": denied}, false, fleet.Failed, nil},
		"not carried out":     {nil, nil, true, fleet.Failed, []string{"ShareImage"}},
		"sharees not visible": {nil, map[string]error{"ImageSharees": denied}, false, fleet.Failed, nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := &album{cloud: newCloud(), with: x.have, deaf: x.deaf}
			if x.fails != nil {
				a.fails = x.fails
			}
			do(t, a.cloud, sharerole.Retry(a), ch, x.want, x.wrote...)
			if slices.Sort(a.with); x.want == fleet.Done && !slices.Equal(a.with, []fleet.AccountID{"2", "3"}) {
				t.Errorf("shared with %v", a.with)
			}
		})
	}
}

func TestTheMarkOfARetryIsPutAndReadBack(t *testing.T) {
	c := newCloud()
	ch := change(fleet.MarkRetried, fleet.KindRole, role, "", "20261120-0123456789ab")
	c.fails["TagRole"] = lost
	do(t, c, sharerole.MarkRetried(c), ch, fleet.Done, "TagRole")
	if c.tags[role][fleet.TagRetried] != ch.Want {
		t.Errorf("tags %v", c.tags[role])
	}
	c.fails["TagRole"] = denied
	do(t, c, sharerole.MarkRetried(c), ch, fleet.Failed)
}

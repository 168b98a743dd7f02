package sas

import (
	"encoding/base64"
	"fmt"
	"iter"
)

// place is where a listing continues: behind a place of the instances of a region.
type place struct {
	region int
	after  uint64
}

// items yields what Security Center knows of an account and matches, behind a
// place: region by region, or, where instances are named, in their order. The
// caller holds the mutex.
func (s *Service) items(account string, q search, from place) iter.Seq2[place, item] {
	if ids, ok := q.ids(); ok {
		return s.named(account, ids, from)
	}
	return func(yield func(place, item) bool) {
		for r := from.region; r < len(s.w.Regions); r++ {
			for at, m := range s.servers.Machines(account, s.w.Regions[r], from.after) {
				x := item{m, s.assets[m.ID()]}
				if x.asset.known && q.match(x) && !yield(place{r, at}, x) {
					return
				}
			}
			from.after = 0
		}
	}
}

// named looks instances up instead of searching 100,000 for each.
func (s *Service) named(account string, ids []string, from place) iter.Seq2[place, item] {
	return func(yield func(place, item) bool) {
		for n := min(from.after, uint64(len(ids))); n < uint64(len(ids)); n++ {
			m, ok := s.servers.Machine(account, ids[n])
			if !ok {
				continue
			}
			x := item{m, s.assets[ids[n]]}
			if x.asset.known && !yield(place{after: n + 1}, x) {
				return
			}
		}
	}
}

func (s *Service) byPage(out *DescribeCloudCenterInstancesResponse, account string, q search, page int) {
	page = max(page, 1)
	total, size := 0, out.PageInfo.PageSize
	for _, x := range s.items(account, q, place{}) {
		if total >= (page-1)*size && len(out.Instances) < size {
			out.Instances = append(out.Instances, x.response(s.w.Clock.Now()))
		}
		total++
	}
	out.PageInfo.CurrentPage, out.PageInfo.TotalCount = page, &total
}

// byToken gives a next token only if another instance matches.
func (s *Service) byToken(out *DescribeCloudCenterInstancesResponse, account string, q search, token string) error {
	from, err := parseToken(token)
	if err != nil {
		return err
	}
	for at, x := range s.items(account, q, from) {
		if len(out.Instances) == out.PageInfo.PageSize {
			out.PageInfo.NextToken = from.token()
			break
		}
		out.Instances = append(out.Instances, x.response(s.w.Clock.Now()))
		from = at
	}
	return nil
}

func (p place) token() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "sas:%d:%d", p.region, p.after))
}

func parseToken(token string) (place, error) {
	p := place{}
	if token == "" {
		return p, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		_, err = fmt.Sscanf(string(raw), "sas:%d:%d", &p.region, &p.after)
	}
	if err != nil || p.region < 0 {
		return place{}, invalid("The specified NextToken is not valid.")
	}
	return p, nil
}

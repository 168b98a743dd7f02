package observe

import (
	"context"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
)

const (
	// recorded is after how long ActionTrail's records of a change are there: the vendor
	// says some ten minutes
	// (https://www.alibabacloud.com/help/en/actiontrail/product-overview/limits).
	recorded = 15 * time.Minute
	// recent is how long a change of a role is looked into: some of the hourly looks.
	recent = 3 * time.Hour
)

// edits reads, in one go, who lately changed the roles' trust. They are asked for only
// if a role was changed so lately, and long enough ago for the records to be there.
func (o Shares) edits(ctx context.Context, w *fleet.ShareWorld) error {
	now := o.Now()
	var changed []*fleet.ShareSide
	for i := range w.Sides {
		at, err := time.Parse(time.RFC3339, w.Sides[i].Role.V.Updated)
		if age := now.Sub(at); err == nil && age >= recorded && age <= recent {
			changed = append(changed, &w.Sides[i])
		}
	}
	if len(changed) == 0 {
		return nil
	}
	all, err := o.Trail.TrustEdits(ctx, o.Home, now.Add(-recent))
	if ends(err) {
		return err
	}
	for _, s := range changed {
		if err != nil {
			s.Edits = fleet.Dunno[[]fleet.TrustEdit](err.Error())
			continue
		}
		s.Edits = fleet.See(o.of(s.Role.V.Name, all))
	}
	return nil
}

// of are the edits of one role; RAM compares the names of roles without regard to case.
func (o Shares) of(role string, all []fleet.TrustEdit) []fleet.TrustEdit {
	var out []fleet.TrustEdit
	for _, e := range all {
		if strings.EqualFold(e.Role, role) {
			e.Ours = strings.EqualFold(e.By, o.Own)
			out = append(out, e)
		}
	}
	return out
}

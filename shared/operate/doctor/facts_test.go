package doctor

import (
	"slices"
	"testing"
	"time"

	"fleetwarden/shared/deployment"
	"fleetwarden/shared/fleet"
)

// Whichever region was deployed last, all functions of each region are examined, and those that
// exist once are the ones of the newest record.
func TestTheFunctionsOfEachRegionAreWantedWhicheverIsNewest(t *testing.T) {
	const home, other = fleet.Region("cn-hangzhou"), fleet.Region("cn-shanghai")
	noon := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	record := func(region fleet.Region, at time.Time, dropped ...string) deployment.Record {
		r := deployment.Record{V: deployment.Version, Region: region, Home: home, At: at}
		for _, f := range fleet.Functions() {
			at := region
			if f.Home {
				at = home
			}
			r.Functions = append(r.Functions, deployment.Function{Name: fleet.CloudName(f.Name), Region: at})
		}
		for _, name := range dropped {
			r.Functions = append(r.Functions, deployment.Function{Name: fleet.CloudName(name), Region: home})
		}
		return r
	}
	var want []functionKey
	for _, f := range fleet.Functions() {
		want = append(want, functionKey{home, fleet.CloudName(f.Name)})
		if !f.Home {
			want = append(want, functionKey{other, fleet.CloudName(f.Name)})
		}
	}
	for name, all := range map[string]map[fleet.Region]deployment.Record{
		"home is newer":      {home: record(home, noon), other: record(other, noon.Add(-time.Hour), "old")},
		"the other is newer": {home: record(home, noon.Add(-time.Hour), "old"), other: record(other, noon)},
		"at one time":        {home: record(home, noon), other: record(other, noon, "old")},
	} {
		x := &examination{Reads: Reads{Home: home, Policy: Policy{Regions: []fleet.Region{home, other}}}, slots: make(chan struct{}, 1)}
		_, _ = x.records.get("", func() (map[fleet.Region]deployment.Record, error) { return all, nil })
		for range 20 {
			got, problems := x.wanted(t.Context())
			var keys []functionKey
			for _, f := range got {
				keys = append(keys, functionKey{f.Region, f.Name})
			}
			order := func(a, b functionKey) int {
				return slices.Compare([]string{a.name, string(a.region)}, []string{b.name, string(b.region)})
			}
			slices.SortFunc(keys, order)
			slices.SortFunc(want, order)
			if !slices.Equal(keys, want) || len(problems) > 0 {
				t.Fatalf("%s: got %v, want %v; %v", name, keys, want, problems)
			}
		}
	}
}

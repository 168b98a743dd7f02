package sas

import (
	"encoding/json"
	"slices"
	"strings"

	"fleetwarden/deploy/local/simcloud/ecs"
)

// item is an asset that is looked at.
type item struct {
	ecs.Machine
	asset asset
}

// criterion is one search condition.
type criterion struct{ Name, Value string }

// criteria are the search conditions that this cloud knows: names and values of
// DescribeCriteria, with regard to case (documented). Values are compared whole
// (assumed); uuidList and ipList take several, separated by commas.
var criteria = map[string]func(x item, value string) bool{
	"instanceId":    func(x item, v string) bool { return x.ID() == v },
	"instanceName":  func(x item, v string) bool { return x.Name() == v },
	"intranetIp":    func(x item, v string) bool { return x.Address() == v },
	"internetIp":    func(item, string) bool { return false }, // no instance has a public address here
	"ipList":        func(x item, v string) bool { return slices.Contains(split(v), x.Address()) },
	"vpcInstanceId": func(x item, v string) bool { return x.VPC() == v },
	"regionId":      func(x item, v string) bool { return x.Region() == v },
	"osType":        func(x item, v string) bool { return x.OS() == v },
	"osName":        func(x item, v string) bool { return x.OSName() == v },
	"uuidList":      func(x item, v string) bool { return slices.Contains(split(v), uuid(x.ID())) },
	"runningStatus": func(x item, v string) bool { return x.running() == v },
	"clientStatus": func(x item, v string) bool {
		status, _ := x.asset.status(x.Machine)
		return status == v
	},
	"clientSubStatus": func(x item, v string) bool {
		_, sub := x.asset.status(x.Machine)
		return sub == v
	},
}

// running is the Status of a response and the value of runningStatus.
func (x item) running() string {
	if x.Running() {
		return "Running"
	}
	return "notRunning"
}

func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

// search is a checked set of conditions.
type search struct {
	conditions []criterion
	all        bool // LogicalExp=AND
}

// newSearch reads Criteria and LogicalExp. LogicalExp without a value is OR: so
// BindAuthToMachine documents it, for this API it is assumed. A condition that
// is not known is refused, since here it is a misspelling.
func newSearch(text, exp string) (search, error) {
	q := search{all: exp == "AND"}
	if exp != "" && exp != "AND" && exp != "OR" {
		return q, invalid("The specified LogicalExp is not valid: %s.", exp)
	}
	if text == "" {
		return q, nil
	}
	if err := json.Unmarshal([]byte(text), &q.conditions); err != nil {
		return q, invalid("The specified Criteria is no JSON array of names and values.")
	}
	for _, c := range q.conditions {
		if criteria[c.Name] == nil {
			return q, invalid("simcloud: no search condition %q.", c.Name)
		}
	}
	return q, nil
}

// ids are the instances that a search is for that names them one by one; ok is
// false for any other search.
func (q search) ids() (ids []string, ok bool) {
	seen := map[string]bool{}
	for _, c := range q.conditions {
		if c.Name != "instanceId" {
			return nil, false
		}
		if !seen[c.Value] {
			ids = append(ids, c.Value)
		}
		seen[c.Value] = true
	}
	return ids, len(ids) == 1 || (len(ids) > 1 && !q.all)
}

func (q search) match(x item) bool {
	if len(q.conditions) == 0 {
		return true
	}
	met := func(c criterion) bool { return criteria[c.Name](x, c.Value) }
	if q.all {
		return !slices.ContainsFunc(q.conditions, func(c criterion) bool { return !met(c) })
	}
	return slices.ContainsFunc(q.conditions, met)
}

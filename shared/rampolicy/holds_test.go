package rampolicy_test

import "testing"

func TestHoldsComparesContentAcrossStatements(t *testing.T) {
	const (
		one     = `{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":["1@ecs.aliyuncs.com"]}}`
		two     = `{"Principal":{"Service":"2@ecs.aliyuncs.com"}, "Effect":"Allow","Action":["sts:AssumeRole"]}`
		both    = `{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":["2@ecs.aliyuncs.com","1@ecs.aliyuncs.com"]}}`
		denied  = `{"Action":"sts:AssumeRole","Effect":"Deny","Principal":{"Service":["1@ecs.aliyuncs.com"]}}`
		limited = `{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":["1@ecs.aliyuncs.com"]},"Condition":{"StringEquals":{"sts:ServiceOwnerRDId":"rd-1"}}}`
	)
	for _, x := range []struct {
		name, all, part string
		want            bool
	}{
		{"itself", one, one, true},
		{"one of two in a statement", both, one, true},
		{"two of two statements", one + "," + two, both, true},
		{"both of one", one, both, false},
		{"a denial among what is allowed", both, denied, false},
		{"what is denied as allowed", denied, one, false},
		{"what is limited as unlimited", limited, one, false},
		{"what is unlimited as limited", one, limited, false},
	} {
		all, part := trust(t, `{"Version":"1","Statement":[`+x.all+`]}`), trust(t, `{"Version":"1","Statement":[`+x.part+`]}`)
		if got := all.Holds(part); got != x.want {
			t.Errorf("%s: %t", x.name, got)
		}
	}
}

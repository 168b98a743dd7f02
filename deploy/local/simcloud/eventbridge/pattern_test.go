package eventbridge_test

import (
	"encoding/json"
	"testing"

	"fleetwarden/deploy/local/simcloud/eventbridge"
)

const event = `{"source":"acs.ecs","type":"ecs:ActionTrail:ApiCall","n":5,"big":301.80,"yes":true,"nothing":null,"empty":"","list":["a","b"],"none":[],
 "ip":"10.0.0.7","data":{"eventName":"RunInstances","errorCode":"","deep":{"x":"y"}}}`

func TestPatternMatches(t *testing.T) {
	for _, c := range []struct {
		name    string
		pattern string
		want    bool
	}{
		{"the empty pattern", `{}`, true},
		{"an exact string", `{"source":["acs.ecs"]}`, true},
		{"another string", `{"source":["acs.oss"]}`, false},
		{"one of two", `{"source":["acs.oss","acs.ecs"]}`, true},
		{"both fields", `{"source":["acs.ecs"],"type":["ecs:ActionTrail:ApiCall"]}`, true},
		{"one field of two", `{"source":["acs.ecs"],"type":["x"]}`, false},
		{"letters of another case", `{"source":["ACS.ecs"]}`, false},
		{"a nested field", `{"data":{"eventName":["RunInstances"]}}`, true},
		{"a deep field", `{"data":{"deep":{"x":["y"]}}}`, true},
		{"a field below a string", `{"source":{"x":["y"]}}`, false},
		{"a number", `{"n":[5]}`, true},
		{"a number as a string", `{"n":["5"]}`, false},
		{"a number written otherwise", `{"big":[3.018e2]}`, true},
		{"true", `{"yes":[true]}`, true},
		{"false", `{"yes":[false]}`, false},
		{"null", `{"nothing":[null]}`, true},
		{"null for a missing field", `{"missing":[null]}`, false},
		{"the empty string", `{"empty":[""]}`, true},
		{"the empty string for null", `{"nothing":[""]}`, false},
		{"one of a list", `{"list":["b"]}`, true},
		{"none of a list", `{"list":["c"]}`, false},
		{"a prefix", `{"type":[{"prefix":"ecs:"}]}`, true},
		{"another prefix", `{"type":[{"prefix":"oss:"}]}`, false},
		{"a prefix of a number", `{"n":[{"prefix":"5"}]}`, false},
		{"a suffix", `{"type":[{"suffix":":ActionTrail:ApiCall"}]}`, true},
		{"another suffix", `{"type":[{"suffix":":ConsoleOperation"}]}`, false},
		{"a part", `{"type":[{"contains":"Trail"}]}`, true},
		{"another part", `{"type":[{"contains":"trail"}]}`, false},
		{"anything but it", `{"source":[{"anything-but":"acs.ecs"}]}`, false},
		{"anything but another", `{"source":[{"anything-but":"acs.oss"}]}`, true},
		{"anything but a number", `{"n":[{"anything-but":5}]}`, false},
		{"anything but numbers", `{"n":[{"anything-but":[4,6]}]}`, true},
		{"anything but a list", `{"source":[{"anything-but":["acs.oss","acs.ecs"]}]}`, false},
		{"anything but a prefix", `{"source":[{"anything-but":{"prefix":"acs."}}]}`, false},
		{"anything but another prefix", `{"source":[{"anything-but":{"prefix":"my."}}]}`, true},
		{"anything of a missing field", `{"missing":[{"anything-but":"x"}]}`, false},
		{"a range", `{"n":[{"numeric":[">",0,"<=",5]}]}`, true},
		{"a range without it", `{"n":[{"numeric":[">",5,"<",10]}]}`, false},
		{"equal", `{"big":[{"numeric":["=",301.8]}]}`, true},
		{"not equal", `{"n":[{"numeric":["!=",5]}]}`, false},
		{"at least", `{"n":[{"numeric":[">=",5]}]}`, true},
		{"a range of a string", `{"source":[{"numeric":[">",0]}]}`, false},
		{"a block", `{"ip":[{"cidr":"10.0.0.0/24"}]}`, true},
		{"another block", `{"ip":[{"cidr":"10.0.1.0/24"}]}`, false},
		{"a block of no address", `{"source":[{"cidr":"10.0.0.0/24"}]}`, false},
		{"it exists", `{"empty":[{"exists":true}]}`, true},
		{"a null exists", `{"nothing":[{"exists":true}]}`, true},
		{"an empty list exists", `{"none":[{"exists":true}]}`, true},
		{"it is missing", `{"missing":[{"exists":false}]}`, true},
		{"it is not missing", `{"n":[{"exists":false}]}`, false},
		{"it is missing deep down", `{"missing":{"x":[{"exists":false}]}}`, true},
		{"missing or empty, missing", `{"data":{"errorMessage":[{"exists":false},""]}}`, true},
		{"missing or empty, empty", `{"data":{"errorCode":[{"exists":false},""]}}`, true},
		{"missing or empty, neither", `{"data":{"eventName":[{"exists":false},""]}}`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := eventbridge.ParsePattern([]byte(c.pattern))
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Match([]byte(event)); got != c.want {
				t.Errorf("%s: match %v, want %v", c.pattern, got, c.want)
			}
		})
	}
}

func TestPatternRefusesWhatIsNotItsSyntax(t *testing.T) {
	for _, text := range []string{
		``, `[]`, `null`, `{} {}`, `{"a":"b"}`, `{"a":[]}`, `{"a":[["b"]]}`, `{"a":[1,2,3,4,5,6]}`,
		`{"a":[{"prefix":1}]}`, `{"a":[{"unknown":"x"}]}`, `{"a":[{}]}`, `{"a":[{"prefix":"x","suffix":"y"}]}`,
		`{"a":[{"exists":"true"}]}`, `{"a":[{"numeric":[">"]}]}`, `{"a":[{"numeric":[">","1"]}]}`, `{"a":[{"numeric":["~",1]}]}`,
		`{"a":[{"numeric":[]}]}`, `{"a":[{"cidr":"10.0.0.0"}]}`, `{"a":[{"cidr":"::/8"}]}`, `{"a":[{"anything-but":[]}]}`,
		`{"a":[{"anything-but":true}]}`, `{"a":[{"anything-but":{"suffix":"x"}}]}`, `{"a":[1e999999999]}`,
	} {
		if _, err := eventbridge.ParsePattern([]byte(text)); err == nil {
			t.Errorf("%s was accepted", text)
		}
	}
}

func TestPatternMatchesNothingThatIsNoObject(t *testing.T) {
	p, err := eventbridge.ParsePattern([]byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{``, `[]`, `"x"`, `null`, `{`, `{} {}`} {
		if p.Match([]byte(text)) {
			t.Errorf("%q matched", text)
		}
	}
}

// FuzzPattern: neither a pattern nor an event can make the matcher panic, and a
// pattern of an event's own strings matches it.
func FuzzPattern(f *testing.F) {
	f.Add([]byte(`{"source":[{"prefix":"acs."}]}`), []byte(event))
	f.Add([]byte(`{"n":[{"numeric":[">",1e300]}],"ip":[{"cidr":"10.0.0.0/8"}]}`), []byte(`{"n":1e-400,"ip":"x"}`))
	f.Add([]byte(`{"a":[{"anything-but":{"prefix":"x"}}]}`), []byte(`{"a":[[],{},null]}`))
	f.Fuzz(func(t *testing.T, pattern, event []byte) {
		if p, err := eventbridge.ParsePattern(pattern); err == nil {
			p.Match(event)
		}
		var flat map[string]string
		if json.Unmarshal(event, &flat) != nil || flat == nil {
			return
		}
		own := map[string][]string{}
		for k, v := range flat {
			own[k] = []string{v}
		}
		text, err := json.Marshal(own)
		if err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(flat)
		if err != nil {
			t.Fatal(err)
		}
		p, err := eventbridge.ParsePattern(text)
		if err != nil || !p.Match(again) {
			t.Errorf("%s does not match %s: %v", text, again, err)
		}
	})
}

package rampolicy_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/rampolicy"
)

func trust(t testing.TB, doc string) *rampolicy.Trust {
	t.Helper()
	parsed, err := rampolicy.ParseTrust(doc)
	if err != nil {
		t.Fatalf("%v\nin %s", err, doc)
	}
	return parsed
}

func statementOf(t testing.TB, statement string) *rampolicy.Trust {
	t.Helper()
	return trust(t, `{"Version":"1","Statement":`+statement+`}`)
}

// trustOf is the trust document of one statement that allows sts:AssumeRole.
func trustOf(t testing.TB, elements string) *rampolicy.Trust {
	t.Helper()
	return statementOf(t, `{"Action":"sts:AssumeRole","Effect":"Allow",`+elements+`}`)
}

func TestABrokenTrustDocumentIsRefusedWithThePosition(t *testing.T) {
	for name, file := range read(t, "trusts/broken") {
		t.Run(name, func(t *testing.T) {
			want, doc, _ := strings.Cut(file, "\n")
			_, err := rampolicy.ParseTrust(doc)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}

func TestALegalTrustDocumentIsPrintedUnchanged(t *testing.T) {
	for name, doc := range read(t, "trusts/legal") {
		t.Run(name, func(t *testing.T) {
			was := trust(t, doc)
			text, err := was.Print()
			if name == "odd.json" {
				if !errors.Is(err, rampolicy.ErrWildcard) {
					t.Errorf("NotPrincipal trusts nearly everyone, printed: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if again := trust(t, text); !again.Equal(was) {
				t.Errorf("printed %s", text)
			}
		})
	}
}

func TestTrustsService(t *testing.T) {
	const (
		ecs    = `"Principal":{"Service":"ecs.aliyuncs.com"}`
		sharee = "1000000000000002@ecs.aliyuncs.com"
	)
	tests := []struct {
		name, elements, service string
		want                    rampolicy.Answer
	}{
		{"a string", ecs, "ecs.aliyuncs.com", rampolicy.Allowed},
		{"an array", `"Principal":{"Service":["fc.aliyuncs.com","ecs.aliyuncs.com"]}`, "ecs.aliyuncs.com", rampolicy.Allowed},
		{"beside other kinds", `"Principal":{"RAM":"acs:ram::1:root","Service":["ecs.aliyuncs.com"]}`, "ecs.aliyuncs.com", rampolicy.Allowed},
		{"in capitals", `"Principal":{"Service":"ECS.aliyuncs.com"}`, "ecs.aliyuncs.com", rampolicy.Allowed},
		{"another service", `"Principal":{"Service":"fc.aliyuncs.com"}`, "ecs.aliyuncs.com", rampolicy.Denied},
		{"another kind", `"Principal":{"RAM":"ecs.aliyuncs.com"}`, "ecs.aliyuncs.com", rampolicy.Denied},
		{"another account's ECS is not our own", `"Principal":{"Service":"` + sharee + `"}`, "ecs.aliyuncs.com", rampolicy.Denied},
		{"our own ECS is not another account's", ecs, sharee, rampolicy.Denied},
		{"another account's ECS", `"Principal":{"Service":"` + sharee + `"}`, sharee, rampolicy.Allowed},
		{"any account's ECS is not our own", `"Principal":{"Service":"*@ecs.aliyuncs.com"}`, "ecs.aliyuncs.com", rampolicy.Denied},
		{"any account's ECS", `"Principal":{"Service":"*@ecs.aliyuncs.com"}`, sharee, rampolicy.Allowed},
		{"under a condition", ecs + `,"Condition":{"StringEquals":{"sts:ServiceOwnerRDId":"rd-1"}}`, "ecs.aliyuncs.com", rampolicy.Unsure},
		{"without a kind", `"Principal":"*"`, "ecs.aliyuncs.com", rampolicy.Unsure},
		{"by NotPrincipal", `"NotPrincipal":{"Service":"fc.aliyuncs.com"}`, "ecs.aliyuncs.com", rampolicy.Unsure},
		{"with a resource", ecs + `,"Resource":"*"`, "ecs.aliyuncs.com", rampolicy.Unsure},
		{"no service", ecs, "", rampolicy.Unsure},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := trustOf(t, test.elements).TrustsService(test.service); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestATrustStatementCountsByEffectAndAction(t *testing.T) {
	const allow = `{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":"ecs.aliyuncs.com"}}`
	tests := []struct {
		name, statements string
		want             rampolicy.Answer
	}{
		{"allowed", allow, rampolicy.Allowed},
		{"by a pattern", strings.Replace(allow, "sts:AssumeRole", "STS:*", 1), rampolicy.Allowed},
		{"of another action", strings.Replace(allow, "sts:AssumeRole", "sts:SetSourceIdentity", 1), rampolicy.Denied},
		{"denied as well", allow + "," + strings.Replace(allow, "Allow", "Deny", 1), rampolicy.Denied},
		{"denied to another service", allow + `,{"Action":"sts:*","Effect":"Deny","Principal":{"Service":"fc.aliyuncs.com"}}`, rampolicy.Allowed},
		{"denied at times", allow + `,{"Action":"sts:*","Effect":"Deny","Principal":{"Service":"*"},"Condition":{"Bool":{"acs:x":"true"}}}`, rampolicy.Unsure},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			parsed := trust(t, `{"Version":"1","Statement":[`+test.statements+`]}`)
			if got := parsed.TrustsService("ecs.aliyuncs.com"); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestADirectoryIsTrustedByItsMembers(t *testing.T) {
	files := read(t, "trusts/legal")
	tests := []struct {
		name, file, directory, path string
		want                        rampolicy.Answer
	}{
		{"a member of the directory", "directory.json", "rd-Abc123", "", rampolicy.Allowed},
		{"a member of another", "directory.json", "rd-Other", "", rampolicy.Denied},
		{"unknown directory", "directory.json", "", "", rampolicy.Unsure},
		{"below the folder", "folder.json", "", "rd-Abc123/r-Wm1/fd-9xYz/fd-2", rampolicy.Allowed},
		{"beside the folder", "folder.json", "", "rd-Abc123/r-Wm1/fd-8", rampolicy.Denied},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			context := map[string][]string{}
			if test.directory != "" {
				context[rampolicy.OwnerDirectory] = []string{test.directory}
			}
			if test.path != "" {
				context[rampolicy.OwnerPath] = []string{test.path}
			}
			got := trust(t, files[test.file]).Trusts(rampolicy.Service("1000000000000002"), context)
			if got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// A question about all accounts below a path, written with a star, is answered for all of
// them or not at all.
func TestAPathWithAStarStandsForAllBelowIt(t *testing.T) {
	const (
		anyECS  = `"Principal":{"Service":"*@ecs.aliyuncs.com"}`
		inRD    = `{"Effect":"Allow","Action":"sts:AssumeRole",` + anyECS + `,"Condition":{"StringEquals":{"sts:ServiceOwnerRDId":"rd-1"}}}`
		inFd    = `{"Effect":"Allow","Action":"sts:AssumeRole",` + anyECS + `,"Condition":{"StringLike":{"sts:ServiceOwnerRDPath":"rd-1/r-1/fd-1*"}}}`
		carving = `,{"Effect":"Deny","Action":"sts:AssumeRole",` + anyECS + `,"Condition":`
	)
	for _, x := range []struct {
		statements, path string
		want             rampolicy.Answer
	}{
		{inRD, "rd-1/*", rampolicy.Allowed},
		{inRD + carving + `{"StringNotLike":{"sts:ServiceOwnerRDPath":"rd-1/r-1/fd-9*"}}}`, "rd-1/*", rampolicy.Unsure},
		{inRD + carving + `{"StringLike":{"sts:ServiceOwnerRDPath":"rd-1/r-1/fd-9*"}}}`, "rd-1/*", rampolicy.Unsure},
		{inRD + carving + `{"StringLike":{"sts:ServiceOwnerRDPath":"rd-1/*"}}}`, "rd-1/*", rampolicy.Denied},
		{inRD + carving + `{"StringNotLike":{"sts:ServiceOwnerRDPath":"rd-1/*"}}}`, "rd-1/*", rampolicy.Allowed},
		{inRD + carving + `{"StringNotEquals":{"sts:ServiceOwnerRDId":"rd-2"}}}`, "rd-1/*", rampolicy.Denied},
		{inFd, "rd-1/r-1/fd-1*", rampolicy.Allowed},
		{inFd, "rd-1/*", rampolicy.Unsure},
		{inFd + carving + `{"StringNotEquals":{"sts:ServiceOwnerRDPath":"rd-1/r-1/fd-1/fd-2"}}}`, "rd-1/r-1/fd-1*", rampolicy.Unsure},
		{inFd + carving + `{"StringNotEqualsIgnoreCase":{"sts:ServiceOwnerRDPath":"RD-1/r-1/fd-1/fd-2"}}}`, "rd-1/r-1/fd-1*", rampolicy.Unsure},
		{inFd + carving + `{"StringLike":{"sts:ServiceOwnerRDPath":"rd-1/r-1/fd-2*"}}}`, "rd-1/r-1/fd-1*", rampolicy.Allowed},
	} {
		context := map[string][]string{rampolicy.OwnerDirectory: {"rd-1"}, rampolicy.OwnerPath: {x.path}}
		if got := statementOf(t, "["+x.statements+"]").Trusts(rampolicy.Service("1000000000000002"), context); got != x.want {
			t.Errorf("%s: %v, want %v: %s", x.path, got, x.want, x.statements)
		}
	}
}

func TestAnUnreadTrustIsUnsure(t *testing.T) {
	var unread *rampolicy.Trust
	if got := unread.TrustsService("ecs.aliyuncs.com"); got != rampolicy.Unsure {
		t.Errorf("got %v", got)
	}
}

func TestOurInstanceRoleTrustsItsOwnECS(t *testing.T) {
	ours := trust(t, rampolicy.ECSTrust())
	if got := ours.TrustsService(rampolicy.ECSService); got != rampolicy.Allowed {
		t.Errorf("got %v", got)
	}
	if got := ours.TrustsService(rampolicy.Service("1000000000000002")); got != rampolicy.Denied {
		t.Errorf("another account: got %v", got)
	}
	if !ours.Equal(trustOf(t, `"Principal":{"Service":["ecs.aliyuncs.com"]}`)) {
		t.Error("differs from the published document")
	}
}

func TestUnconditionalWildcardsAreFoundAndNeverPrinted(t *testing.T) {
	const wildcard = `"Principal":{"Service":"*@ecs.aliyuncs.com"}`
	bad := map[string]string{
		"bare":                   wildcard,
		"in a list":              `"Principal":{"Service":["1000000000000002@ecs.aliyuncs.com","*@ecs.aliyuncs.com"]}`,
		"every service":          `"Principal":{"Service":"*"}`,
		"half an account":        `"Principal":{"Service":"10*@ecs.aliyuncs.com"}`,
		"a question mark":        `"Principal":{"Service":"?000000000000002@ECS.aliyuncs.com"}`,
		"every service's domain": `"Principal":{"Service":"*.aliyuncs.com"}`,
		"everybody":              `"Principal":"*"`,
		"all but one":            `"NotPrincipal":{"Service":"ecs.aliyuncs.com"}`,
		"another key":            wildcard + `,"Condition":{"StringEquals":{"acs:x":"rd-1"}}`,
		"another condition":      wildcard + `,"Condition":{"IpAddress":{"acs:SourceIp":"10.0.0.0/8"}}`,
		"any directory":          wildcard + `,"Condition":{"StringLike":{"sts:ServiceOwnerRDId":"*"}}`,
		"half a directory":       wildcard + `,"Condition":{"StringLike":{"sts:ServiceOwnerRDPath":"rd-1*"}}`,
		"any path":               wildcard + `,"Condition":{"StringLike":{"sts:ServiceOwnerRDPath":["rd-1/r-1/*","*"]}}`,
		"every other directory":  wildcard + `,"Condition":{"StringNotEquals":{"sts:ServiceOwnerRDId":"rd-1"}}`,
		"no directory":           wildcard + `,"Condition":{"StringEquals":{"sts:ServiceOwnerRDId":""}}`,
		"a variable":             wildcard + `,"Condition":{"StringEquals":{"sts:ServiceOwnerRDId":"${acs:x}"}}`,
		"with an unknown":        `"Sid":"x",` + wildcard,
	}
	for name, elements := range bad {
		parsed := trustOf(t, elements)
		if got := parsed.UnconditionalWildcards(); len(got) != 1 || !strings.Contains(got[0], elements) {
			t.Errorf("%s: found %q", name, got)
		}
		if text, err := parsed.Print(); !errors.Is(err, rampolicy.ErrWildcard) {
			t.Errorf("%s: printed %q, %v", name, text, err)
		}
	}
	good := map[string]string{
		"one account":            `"Principal":{"Service":"1000000000000002@ecs.aliyuncs.com"}`,
		"our own by a pattern":   `"Principal":{"Service":"ecs*.aliyuncs.com"}`,
		"our own":                `"Principal":{"Service":"ecs.aliyuncs.com"}`,
		"another service":        `"Principal":{"Service":"*@fc.aliyuncs.com"}`,
		"a directory":            wildcard + `,"Condition":{"StringEquals":{"sts:ServiceOwnerRDId":"rd-1"}}`,
		"two directories":        wildcard + `,"Condition":{"StringEquals":{"sts:ServiceOwnerRDId":["rd-1","rd-2"]}}`,
		"a path":                 wildcard + `,"Condition":{"StringLike":{"sts:ServiceOwnerRDPath":"rd-1/r-1/fd-1*"}}`,
		"a directory and more":   wildcard + `,"Condition":{"StringEquals":{"sts:ServiceOwnerRDId":"rd-1"},"Bool":{"a":"true"}}`,
		"a directory, like that": wildcard + `,"Condition":{"StringLike":{"sts:ServiceOwnerRDId":"rd-1"}}`,
	}
	for name, elements := range good {
		parsed := trustOf(t, elements)
		if got := parsed.UnconditionalWildcards(); got != nil {
			t.Errorf("%s: found %q", name, got)
		}
		if _, err := parsed.Print(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAWildcardInADenyOrForAnotherActionIsIgnored(t *testing.T) {
	for _, statement := range []string{
		`{"Action":"sts:AssumeRole","Effect":"Deny","Principal":{"Service":"*@ecs.aliyuncs.com"}}`,
		`{"Action":"sts:SetSourceIdentity","Effect":"Allow","Principal":{"Service":"*@ecs.aliyuncs.com"}}`,
	} {
		parsed := trust(t, `{"Version":"1","Statement":`+statement+`}`)
		if got := parsed.UnconditionalWildcards(); got != nil {
			t.Errorf("found %q", got)
		}
	}
}

func TestAnEmptyTrustIsNotPrinted(t *testing.T) {
	if _, err := new(rampolicy.Trust).Print(); !errors.Is(err, rampolicy.ErrEmpty) {
		t.Errorf("got %v", err)
	}
}

func TestShareesAreReadFromTheThreeFormsOnly(t *testing.T) {
	const wildcard = `"Principal":{"Service":"*@ecs.aliyuncs.com"}`
	files := read(t, "trusts/legal")
	tests := []struct {
		name  string
		trust *rampolicy.Trust
		want  rampolicy.Sharees
	}{
		{"accounts", trust(t, files["accounts.json"]), rampolicy.Sharees{Accounts: []fleet.AccountID{"1000000000000002", "1000000000000003"}}},
		{"a directory", trust(t, files["directory.json"]), rampolicy.Sharees{Directories: []string{"rd-Abc123"}}},
		{"a folder", trust(t, files["folder.json"]), rampolicy.Sharees{Folders: []string{"rd-Abc123/r-Wm1/fd-9xYz"}}},
		{"an account beside foreign statements", trust(t, files["foreign.json"]), rampolicy.Sharees{Accounts: []fleet.AccountID{"1000000000000002"}}},
		{"our own ECS", trust(t, rampolicy.ECSTrust()), rampolicy.Sharees{}},
		{"a wildcard", trustOf(t, wildcard), rampolicy.Sharees{}},
		{"not a number", trustOf(t, `"Principal":{"Service":"a@ecs.aliyuncs.com"}`), rampolicy.Sharees{}},
		{"an account with a condition", trustOf(t, `"Principal":{"Service":"1@ecs.aliyuncs.com"},"Condition":{"StringEquals":{"sts:ServiceOwnerRDId":"rd-1"}}`), rampolicy.Sharees{}},
		{"two directories at once", trustOf(t, wildcard+`,"Condition":{"StringEquals":{"sts:ServiceOwnerRDId":["rd-1","rd-2"]}}`), rampolicy.Sharees{}},
		{"a folder without the star", trustOf(t, wildcard+`,"Condition":{"StringLike":{"sts:ServiceOwnerRDPath":"rd-1/r-1/fd-1"}}`), rampolicy.Sharees{}},
		{"a star inside the path", trustOf(t, wildcard+`,"Condition":{"StringLike":{"sts:ServiceOwnerRDPath":"rd-1/*/fd-1*"}}`), rampolicy.Sharees{}},
		{"an unknown element", trustOf(t, `"Sid":"1","Principal":{"Service":"1@ecs.aliyuncs.com"}`), rampolicy.Sharees{}},
		{"denied", statementOf(t, `{"Effect":"Deny","Action":"sts:AssumeRole","Principal":{"Service":"1@ecs.aliyuncs.com"}}`), rampolicy.Sharees{}},
		{"all but the action", statementOf(t, `{"Effect":"Allow","NotAction":"sts:AssumeRole","Principal":{"Service":"1@ecs.aliyuncs.com"}}`), rampolicy.Sharees{}},
		{"more than the action", statementOf(t, `{"Effect":"Allow","Action":"sts:*","Principal":{"Service":"1@ecs.aliyuncs.com"}}`), rampolicy.Sharees{}},
		{"another kind of principal", trustOf(t, `"Principal":{"RAM":"1@ecs.aliyuncs.com"}`), rampolicy.Sharees{}},
		{"another service under the condition", trustOf(t, `"Principal":{"Service":["*@ecs.aliyuncs.com","fc.aliyuncs.com"]},"Condition":{"StringEquals":{"sts:ServiceOwnerRDId":"rd-1"}}`), rampolicy.Sharees{}},
		{"a folder, to the letter", trustOf(t, wildcard+`,"Condition":{"StringEquals":{"sts:ServiceOwnerRDPath":"rd-1/r-1/fd-1*"}}`), rampolicy.Sharees{}},
		{"the other operator", trustOf(t, wildcard+`,"Condition":{"StringLike":{"sts:ServiceOwnerRDId":"rd-1"}}`), rampolicy.Sharees{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, test.trust.Sharees()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

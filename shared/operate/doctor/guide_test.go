package doctor

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A hint leads to the section of its check.
func TestEachCheckHasItsSectionInTheGuide(t *testing.T) {
	text, err := os.ReadFile("../../../" + Guide)
	if err != nil {
		t.Fatal(err)
	}
	var have, want []string
	for _, m := range regexp.MustCompile(`(?m)^## (.*)$`).FindAllStringSubmatch(string(text), -1) {
		have = append(have, m[1])
	}
	for _, c := range Checks() {
		want = append(want, c.ID)
		if !strings.Contains(string(text), c.Description) {
			t.Errorf("the section of %s does not say when it is well: %s", c.ID, c.Description)
		}
	}
	if !slices.Equal(have, want) {
		t.Errorf("the guide has %q, want %q", have, want)
	}
}

// The page is read from its beginning: the categories do not alternate.
func TestChecksAreOrderedByCategoryAndHaveIDsOfTheirOwn(t *testing.T) {
	seen, category := map[string]bool{}, ""
	for _, c := range Checks() {
		if c.Category != category && seen[c.Category] {
			t.Errorf("%s is apart from its category", c.ID)
		}
		if category = c.Category; seen[c.ID] && c.ID != c.Category {
			t.Errorf("two checks are called %s", c.ID)
		}
		seen[c.Category], seen[c.ID] = true, true
		if c.Description == "" || c.Why == "" || strings.HasSuffix(c.Description, ".") || !strings.HasSuffix(c.Why, ".") || c.ask == nil {
			t.Errorf("%+v", c)
		}
	}
}

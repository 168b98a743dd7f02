package arch

import (
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
)

// leaves are the names of what a record has, as JSON, with dots.
func leaves(prefix string, t reflect.Type) (out []string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[time.Time]() {
		return []string{prefix}
	}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		out = append(out, leaves(strings.TrimPrefix(prefix+"."+name, "."), t.Field(i).Type)...)
	}
	return out
}

// TestTheLogsIndexKnowsTheRecords: a leaf that no record has finds nothing, and a query or
// an alarm on one that is not indexed fails unnoticed.
func TestTheLogsIndexKnowsTheRecords(t *testing.T) {
	known := append(leaves("", reflect.TypeFor[fleet.Record]()), "level", "msg", "error") // log/slog's
	var table struct {
		Fields struct {
			Message struct{ Texts, Longs []string }
		}
	}
	if err := json.Unmarshal([]byte(readText(t, "../../deploy/queries.json")), &table); err != nil {
		t.Fatal(err)
	}
	indexed := append(table.Fields.Message.Texts, table.Fields.Message.Longs...)
	for _, leaf := range indexed {
		if !slices.Contains(known, leaf) {
			t.Errorf("the index has %s, which no record has", leaf)
		}
	}
	if len(indexed) == 0 {
		t.Fatal("queries.json indexes no leaf of a record")
	}
	asked := regexp.MustCompile(`[^.]message\.([A-Za-z.]*[A-Za-z])`)
	for _, file := range []string{"terraform/logs.tf", "terraform/alarms.tf", "queries.json"} {
		for _, m := range asked.FindAllStringSubmatch(readText(t, "../../deploy/"+file), -1) {
			if !slices.Contains(indexed, m[1]) {
				t.Errorf("%s asks for message.%s, which is not indexed", file, m[1])
			}
		}
	}
}

// TestAlertsMissNoLine: a line reaches the index after the time that it has, so that an alert
// whose window is no longer than its interval misses those at the end of each.
func TestAlertsMissNoLine(t *testing.T) {
	alarms := readText(t, "../../deploy/terraform/alarms.tf")
	found := regexp.MustCompile(`start += "-(\d+)m".*\n.*\n.*\n +interval += "(\d+)m"`).FindAllStringSubmatch(alarms, -1)
	if len(found) == 0 {
		t.Fatal("alarms.tf has no alert at an interval of minutes")
	}
	for _, m := range found {
		window, errWindow := strconv.Atoi(m[1])
		interval, errInterval := strconv.Atoi(m[2])
		if errWindow != nil || errInterval != nil || window <= interval {
			t.Errorf("an alert asks every %s minutes for the last %s", m[2], m[1])
		}
	}
}

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

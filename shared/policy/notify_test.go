package policy_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

func zoneOf(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// The digest is that of the build before there was a key notify: a change of other defaults
// changes it.
func TestAFileThatNotifiesNoChannelKeepsItsDigest(t *testing.T) {
	const before = "e7cc004120769f90c63d270b3ac5c57dcf0b3558d01209ec1d26909e3b379339"
	for _, file := range []string{"version: 1", with("notify: {}"), with("notify: {channels: {}}"), with("notify: {zone: Asia/Shanghai}")} {
		if got := mustLoad(t, file); got.Digest != before || strings.Contains(string(got.JSON()), "notify") {
			t.Errorf("%q: digest %s of %s", file, got.Digest, got.JSON())
		}
	}
}

func TestChannelsOfOneMeaningHaveOneDigest(t *testing.T) {
	short := mustLoad(t, with("notify: {channels: {b: {type: slack, secret: fleetwarden-s}, a: {type: mail, from: x@y.z, to: [o@p.q]}}}"))
	long := mustLoad(t, with(`notify:
  zone: Asia/Shanghai
  channels:
    a: {type: mail, from: x@y.z, to: [o@p.q], least: high, digest: true, changes: false, lang: en}
    b: {secret: fleetwarden-s, type: slack}
`))
	if short.Digest != long.Digest {
		t.Errorf("%s\n%s", short.JSON(), long.JSON())
	}
	if abroad := mustLoad(t, with("notify: {zone: UTC, channels: {b: {type: slack, secret: fleetwarden-s}, a: {type: mail, from: x@y.z, to: [o@p.q]}}}")); abroad.Digest == short.Digest {
		t.Error("the same digest in another zone")
	}
}

// Wherever in a channel a URL is pasted, its token is in no message.
func TestAPastedURLIsInNoMessage(t *testing.T) {
	for _, url := range []string{"https://oapi.dingtalk.com/robot/send?access_token=CANARY", "hooks.slack.com/services/T/B/CANARY", "SECCANARY", "env:CANARY-", "fleetwarden-:CANARY"} {
		for _, file := range []string{
			channel("type: dingtalk", "secret: '"+url+"'"), channel("type: dingtalk", "secret: ['"+url+"']"), channel("type: mail", "secret: '"+url+"'"),
		} {
			checkHidden(t, file)
		}
	}
	for _, key := range []string{"type", "url", "from", "to", "least", "accounts", "controls", "digest", "changes", "quiet", "lang", "networks"} {
		const url = "https://oapi.dingtalk.com/robot/send?access_token=CANARY"
		checkHidden(t, channel("secret: fleetwarden-ops", key+": "+url))
		checkHidden(t, channel("secret: fleetwarden-ops", key+": ["+url+"]"))
	}
	checkHidden(t, with("notify: {channels: {ops: 'https://oapi.dingtalk.com/robot/send?access_token=CANARY'}}"))
	checkHidden(t, with("notify: {channels: 'https://oapi.dingtalk.com/robot/send?access_token=CANARY'}"))
	checkHidden(t, with("notify: 'https://oapi.dingtalk.com/robot/send?access_token=CANARY'"))
}

func checkHidden(t *testing.T, file string) {
	t.Helper()
	_, err := policy.Load("p.yaml", []byte(file))
	if err == nil || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("%s\n%v", file, err)
	}
}

func TestAChannelWantsWhatItsKeysSelect(t *testing.T) {
	p := mustLoad(t, with(`notify:
  channels:
    all: {type: slack, secret: fleetwarden-s, least: medium}
    some: {type: slack, secret: fleetwarden-s, least: info, accounts: [1], controls: [agent]}
    doctor: {type: slack, secret: fleetwarden-s, least: info, controls: [deployment]}
`))
	for _, c := range []struct {
		control  string
		account  fleet.AccountID
		severity fleet.Severity
		want     string
	}{
		{"agent", "1", fleet.Critical, "all some"},
		{"agent", "1", fleet.Medium, "all some"},
		{"agent", "1", fleet.Low, "some"},
		{"agent", "1", fleet.Info, "some"},
		{"agent", "1", "", ""},
		{"agent", "1", "huge", ""},
		{"agent", "2", fleet.Info, ""},
		{"agent", "", fleet.Info, ""},
		{"instance-role", "1", fleet.Low, ""},
		{"instance-role", "1", fleet.High, "all"},
		{"deployment", "1", fleet.Info, "doctor"},
		{"", "", fleet.Critical, "all doctor"},
	} {
		var got []string
		for _, x := range p.Notify.Channels {
			if x.Wants(c.control, c.account, c.severity) {
				got = append(got, x.Name)
			}
		}
		if g := strings.Join(got, " "); g != c.want || p.Notify.WantsAny(c.control, c.account, c.severity) != (c.want != "") {
			t.Errorf("%s in %s, %s: got %q, want %q", c.control, c.account, c.severity, g, c.want)
		}
	}
	if policy.Default().Notify.WantsAny("agent", "1", fleet.Critical) {
		t.Error("without channels something is wanted")
	}
}

func TestADayIsThatOfTheZone(t *testing.T) {
	at := time.Date(2026, 12, 1, 16, 30, 0, 0, time.UTC)
	for zone, want := range map[string]string{"": "2026-12-02", "Asia/Shanghai": "2026-12-02", "UTC": "2026-12-01", "America/New_York": "2026-12-01", "Pacific/Kiritimati": "2026-12-02"} {
		file := "version: 1"
		if zone != "" {
			file = with("notify: {zone: " + zone + "}")
		}
		if got := mustLoad(t, file).Notify.Day(at); got != want {
			t.Errorf("%q: %s, want %s", zone, got, want)
		}
	}
}

// In New York the clock is put forward on 2026-03-08, 02:00 to 03:00, and back on 2026-11-01,
// 02:00 to 01:00.
func TestQuietHoursEndWhereTheClockOfTheZoneSays(t *testing.T) {
	hours := func(from, to int) policy.Quiet { return policy.Quiet{From: from, To: to} }
	night := hours(22*60, 7*60)
	for name, c := range map[string]struct {
		zone  string
		hours policy.Quiet
		at    string
		end   string // empty: not quiet
	}{
		"no hours":                     {"Asia/Shanghai", policy.Quiet{}, "2026-12-01T00:00:00+08:00", ""},
		"before":                       {"Asia/Shanghai", night, "2026-12-01T21:59:59+08:00", ""},
		"the first moment":             {"Asia/Shanghai", night, "2026-12-01T22:00:00+08:00", "2026-12-02T07:00:00+08:00"},
		"before midnight":              {"Asia/Shanghai", night, "2026-12-01T23:59:59+08:00", "2026-12-02T07:00:00+08:00"},
		"midnight":                     {"Asia/Shanghai", night, "2026-12-02T00:00:00+08:00", "2026-12-02T07:00:00+08:00"},
		"after midnight":               {"Asia/Shanghai", night, "2026-12-02T03:12:05.5+08:00", "2026-12-02T07:00:00+08:00"},
		"the last moment":              {"Asia/Shanghai", night, "2026-12-02T06:59:59.9+08:00", "2026-12-02T07:00:00+08:00"},
		"the end":                      {"Asia/Shanghai", night, "2026-12-02T07:00:00+08:00", ""},
		"a time of another zone":       {"Asia/Shanghai", night, "2026-12-01T15:00:00Z", "2026-12-02T07:00:00+08:00"},
		"over the end of a year":       {"Asia/Shanghai", night, "2026-12-31T23:00:00+08:00", "2027-01-01T07:00:00+08:00"},
		"noon":                         {"Asia/Shanghai", hours(12*60, 13*60+30), "2026-12-01T12:15:00+08:00", "2026-12-01T13:30:00+08:00"},
		"outside of noon":              {"Asia/Shanghai", hours(12*60, 13*60+30), "2026-12-01T02:00:00+08:00", ""},
		"a zone of a half hour":        {"Asia/Kolkata", night, "2026-12-01T23:00:00+05:30", "2026-12-02T07:00:00+05:30"},
		"an hour is left out":          {"America/New_York", night, "2026-03-07T22:00:00-05:00", "2026-03-08T07:00:00-04:00"},
		"an hour comes twice":          {"America/New_York", night, "2026-10-31T22:00:00-04:00", "2026-11-01T07:00:00-05:00"},
		"the end is left out":          {"America/New_York", hours(22*60, 2*60+30), "2026-03-08T01:45:00-05:00", "2026-03-08T03:00:00-04:00"},
		"the beginning is left out":    {"America/New_York", hours(2*60+30, 7*60), "2026-03-08T03:00:00-04:00", "2026-03-08T07:00:00-04:00"},
		"all is left out":              {"America/New_York", hours(2*60, 3*60), "2026-03-08T03:00:00-04:00", ""},
		"the end comes the first time": {"America/New_York", hours(22*60, 60+30), "2026-11-01T00:15:00-04:00", "2026-11-01T01:30:00-04:00"},
		"and is quiet again":           {"America/New_York", hours(22*60, 60+30), "2026-11-01T01:10:00-05:00", "2026-11-01T01:30:00-05:00"},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		end, quiet := c.hours.Until(at, zoneOf(t, c.zone))
		want := at
		if c.end != "" {
			want, _ = time.Parse(time.RFC3339, c.end)
		}
		if quiet != (c.end != "") || !end.Equal(want) {
			t.Errorf("%s: %v until %v, want %v", name, quiet, end, want)
		}
	}
}

// Whatever the hours, the zone and the time, quiet hours end within a day and an hour, and at
// their end it is not quiet.
func TestQuietHoursEnd(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		minutes := rapid.IntRange(0, 24*60-1)
		q := policy.Quiet{From: minutes.Draw(r, "from"), To: minutes.Draw(r, "to")}
		zone := zoneOf(t, rapid.SampledFrom([]string{"Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "UTC"}).Draw(r, "zone"))
		at := time.Unix(rapid.Int64Range(1_700_000_000, 1_900_000_000).Draw(r, "at"), 0)
		end, quiet := q.Until(at, zone)
		if again, still := q.Until(end, zone); still || !again.Equal(end) {
			r.Fatalf("%v in %v, %v: at the end %v it is quiet until %v", q, zone, at, end, again)
		}
		if took := end.Sub(at); quiet != (took > 0) || took > 25*time.Hour {
			r.Fatalf("%v in %v, %v: it ends after %v", q, zone, at, took)
		}
	})
}

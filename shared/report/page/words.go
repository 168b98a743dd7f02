package page

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"fleetwarden/shared/report"

	"github.com/dustin/go-humanize"
)

// none is shown where there is no number.
const none = "–"

// percent rounds down: only a full share is 100 %.
func percent(p report.Posture) string {
	share, ok := p.Share()
	if !ok {
		return none
	}
	return tenths(math.Floor(share*1000+1e-9)) + " %"
}

// tenths writes a number of tenths, without a zero decimal.
func tenths(t float64) string {
	if math.Mod(t, 10) == 0 {
		return strconv.FormatFloat(t/10, 'f', 0, 64)
	}
	return strconv.FormatFloat(t/10, 'f', 1, 64)
}

// step is the change of the posture in percentage points.
func step(now, before report.Posture) string {
	a, ok := now.Share()
	b, had := before.Share()
	if !ok || !had {
		return ""
	}
	switch t := math.Round((a - b) * 1000); {
	case t > 0:
		return "▲ " + tenths(t) + " points"
	case t < 0:
		return "▼ " + tenths(-t) + " points"
	case a != b:
		return "± under 0.1 points"
	}
	return "unchanged"
}

// count writes a number with thousands separators.
func count(n int) string { return humanize.Comma(int64(n)) }

// plural writes a count and its noun; one and many are its forms.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}

// moment formats a time.
func moment(t time.Time) string {
	if t.IsZero() {
		return none
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}

// left is the remaining time of an exemption.
func left(expires, at time.Time) string {
	days := int(math.Floor(expires.Sub(at).Hours() / 24))
	switch {
	case !expires.After(at):
		return "expired"
	case days == 0:
		return "ends today"
	default:
		return "ends in " + plural(days, "day", "days")
	}
}

// took is the duration of a sweep, to the second.
func took(s report.Summary) string {
	if s.Ended.Before(s.Started) || s.Ended.IsZero() {
		return ""
	}
	return fmt.Sprint(s.Ended.Sub(s.Started).Round(time.Second))
}

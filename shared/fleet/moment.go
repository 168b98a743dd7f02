package fleet

import (
	"strconv"
	"strings"
	"time"
)

// china has had no summer time since 1991.
var china = time.FixedZone("Asia/Shanghai", 8*60*60)

// ParseTime reads the time of an event. Beside RFC 3339, published samples end in a zone's
// name ("2020-11-19T21:04:42.179PRC", "2020-08-17T16:04:46.149Asia/Shanghai": EventBridge's
// event overview and transformation pages). A trail record's eventTime is in UTC, which is
// what a time without any zone is taken for. Tools that pass records on write a blank for
// the T, a zone without its colon, or seconds or milliseconds since 1970.
func ParseTime(text string) (time.Time, error) {
	const clock = "2006-01-02T15:04:05"
	if at, ok := since1970(text); ok {
		return at, nil
	}
	text = strings.Replace(text, " ", "T", 1)
	for _, name := range [...]string{"PRC", "Asia/Shanghai"} {
		if local, ok := strings.CutSuffix(text, name); ok {
			return time.ParseInLocation(clock, local, china)
		}
	}
	for _, layout := range [...]string{clock, "2006-01-02T15:04:05Z0700"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Parse(time.RFC3339, text)
}

// since1970 reads seconds or milliseconds of the years from 2001 to 2286.
func since1970(text string) (time.Time, bool) {
	n, err := strconv.ParseUint(text, 10, 63)
	switch {
	case err != nil:
	case len(text) == len("1795162531"):
		return time.Unix(int64(n), 0).UTC(), true
	case len(text) == len("1795162531204"):
		return time.UnixMilli(int64(n)).UTC(), true
	}
	return time.Time{}, false
}

package fleet

import (
	"strings"
	"time"
)

// china has had no summer time since 1991.
var china = time.FixedZone("Asia/Shanghai", 8*60*60)

// ParseTime reads the time of an event. Beside RFC 3339, published samples end in a zone's
// name ("2020-11-19T21:04:42.179PRC", "2020-08-17T16:04:46.149Asia/Shanghai": EventBridge's
// event overview and transformation pages). A trail record's eventTime is in UTC, which is
// what a time without any zone is taken for.
func ParseTime(text string) (time.Time, error) {
	const clock = "2006-01-02T15:04:05"
	for _, name := range [...]string{"PRC", "Asia/Shanghai"} {
		if local, ok := strings.CutSuffix(text, name); ok {
			return time.ParseInLocation(clock, local, china)
		}
	}
	if at, err := time.Parse(clock, text); err == nil {
		return at, nil
	}
	return time.Parse(time.RFC3339, text)
}

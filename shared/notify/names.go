package notify

import (
	"fmt"
	"strings"
	"time"
)

// The folders of the ledger. Functions that find something write to the first alone, so that
// none of them can pretend that a card was sent.
const (
	folder      = "notify/"
	FoundFolder = folder + "found/"
	CardFolder  = folder + "cards/"
	SentFolder  = folder + "sent/"
	RateFolder  = folder + "rate/"
	suffix      = ".json"
)

// clock is the time in the name of an object: the names of a day sort by it.
const clock = "20060102T150405"

// Gather is how long after a pass what it found is delivered: that of a burst then stands on
// one card.
const Gather = time.Minute

// FoundID names what a pass found, below [FoundFolder] and without its suffix. The day is that
// of the policy's zone, the time UTC.
func FoundID(day string, at time.Time, function, request string) string {
	return fmt.Sprintf("%s/%s.%s.%s", day, at.UTC().Format(clock), function, part(request))
}

// FoundObject is the object of an id.
func FoundObject(id string) string { return FoundFolder + id + suffix }

// FoundOf is the id of an object.
func FoundOf(object string) string {
	return strings.TrimSuffix(strings.TrimPrefix(object, FoundFolder), suffix)
}

// FoundAfter is a name after which all that was found on the day since a time is listed.
func FoundAfter(day string, at time.Time) string {
	return FoundFolder + day + "/" + at.UTC().Format(clock)
}

// FoundIn takes the id of what was found apart: the day, and when the pass ended. That time is
// of the day in some zone.
func FoundIn(id string) (day string, at time.Time, ok bool) {
	day, rest, _ := strings.Cut(id, "/")
	stamp, _, _ := strings.Cut(rest, ".")
	at, err := time.Parse(clock, stamp)
	midnight, derr := time.Parse(time.DateOnly, day)
	since := at.Sub(midnight) // in UTC: zones are up to 14 hours before it, and 12 behind
	return day, at, err == nil && derr == nil && since >= -14*time.Hour && since < 36*time.Hour
}

// CardObject is the object of a card. A digest is made for a channel, and has its name as a
// part of the key.
func CardObject(day, key string) string { return CardFolder + day + "/" + key + suffix }

// SentObject is an object about a card and a channel, such as "sent" or "1.claim".
func SentObject(day, channel, key, about string) string {
	return SentFolder + CardID(day, channel, key) + "/" + about + suffix
}

// SentIn takes the name of such an object of a day apart; ok is false for any other name.
func SentIn(day, name string) (channel, key, about string, ok bool) {
	rest, fits := strings.CutPrefix(name, SentFolder+day+"/")
	parts := strings.Split(strings.TrimSuffix(rest, suffix), "/")
	if !fits || len(parts) != 3 {
		return "", "", "", false
	}
	return parts[0], parts[1], parts[2], true
}

// CardID names a card that a channel is to take.
func CardID(day, channel, key string) string { return day + "/" + channel + "/" + key }

// CardIn takes the id of such a card apart.
func CardIn(id string) (day, channel, key string, ok bool) {
	parts := strings.Split(id, "/")
	if len(parts) != 3 || !ValidDay(parts[0]) {
		return "", "", "", false
	}
	return parts[0], parts[1], parts[2], true
}

// ValidDay reports whether a text is a date.
func ValidDay(day string) bool {
	_, err := time.Parse(time.DateOnly, day)
	return err == nil
}

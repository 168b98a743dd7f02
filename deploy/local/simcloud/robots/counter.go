package robots

import "time"

// limit is how many posts a robot takes in a span of virtual time. Whoever posts more is
// refused for a while, at least until the span allows another post.
type limit struct {
	posts   int
	in, ban time.Duration
}

// counter counts the posts of one robot. The service's mutex guards it.
type counter struct {
	times  []time.Time // of posts that were let through, as far as a limit asks for them
	banned time.Time   // until then
}

// verdict of a counter.
type verdict int

const (
	free   verdict = iota
	over           // this post is one too many
	banned         // an earlier post was
)

// count lets a post through, or says how long to wait.
func (c *counter) count(now time.Time, limits []limit) (verdict, time.Duration) {
	if now.Before(c.banned) {
		return banned, c.banned.Sub(now)
	}
	longest := 0
	for _, l := range limits {
		longest = max(longest, l.posts)
		if len(c.times) < l.posts {
			continue
		}
		again := c.times[len(c.times)-l.posts].Add(l.in)
		if l.ban > 0 && now.Before(again) {
			again = now.Add(l.ban)
			c.banned = again
		}
		if now.Before(again) {
			return over, again.Sub(now)
		}
	}
	c.times = append(c.times, now)
	c.times = c.times[max(0, len(c.times)-longest):]
	return free, 0
}

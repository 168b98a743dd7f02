package eventbridge

import (
	"math/rand/v2"
	"time"
)

// Strategy is how a push that failed is tried again.
type Strategy string

// The strategies, by their names in the API. The empty one is BackoffRetry.
const (
	// BackoffRetry tries 3 times more, 10 to 20 s apart.
	BackoffRetry Strategy = "BACKOFF_RETRY"
	// ExponentialDecayRetry tries 176 times more, 1, 2, 4 … 512 s apart: a day.
	ExponentialDecayRetry Strategy = "EXPONENTIAL_DECAY_RETRY"
)

// Valid reports whether the API knows the strategy.
func (s Strategy) Valid() bool {
	return s == "" || s == BackoffRetry || s == ExponentialDecayRetry
}

// Wait is the pause before the retry after the given try, which counts from 1;
// false when there are no more retries.
func (s Strategy) Wait(try int, r *rand.Rand) (time.Duration, bool) {
	if s == ExponentialDecayRetry {
		return time.Second << min(try-1, 9), try <= 176
	}
	return 10*time.Second + time.Duration(r.Int64N(int64(10*time.Second)+1)), try <= 3
}

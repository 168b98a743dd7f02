package main

import (
	"slices"
	"time"
)

// job is one way to do the work. It is run often, and reports what went wrong.
type job func() error

// beside takes turns between jobs, so that a busy moment hits all, and returns the
// median time of one run of each, and of its ratio to the first.
func beside(rounds, runs int, jobs ...job) (times []time.Duration, ratios []float64, err error) {
	all := make([][]time.Duration, len(jobs))
	parts := make([][]float64, len(jobs))
	for range rounds {
		for i, j := range jobs {
			begun := time.Now()
			for range runs {
				if err := j(); err != nil {
					return nil, nil, err
				}
			}
			all[i] = append(all[i], time.Since(begun)/time.Duration(runs))
		}
		for i := range jobs {
			parts[i] = append(parts[i], float64(all[i][len(all[i])-1])/float64(all[0][len(all[0])-1]))
		}
	}
	for i := range jobs {
		times = append(times, median(all[i]))
		ratios = append(ratios, median(parts[i]))
	}
	return times, ratios, nil
}

// median sorts v.
func median[T time.Duration | float64](v []T) T {
	slices.Sort(v)
	return v[len(v)/2]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

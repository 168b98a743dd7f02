package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// cold measures from exec to the first request for work, policy loaded, beside the
// empty handlers. Starts take turns, so that a busy moment hits both.
func (s *summary) cold(b *binaries, n sizes) error {
	var ours, notify, empty, bare []time.Duration
	for range n.starts {
		for _, x := range []struct {
			binary
			to *[]time.Duration
		}{{b.function, &ours}, {b.notify, &notify}, {b.empty, &empty}, {b.bare, &bare}} {
			d, err := coldStart(x.binary, b.policy)
			if err != nil {
				return err
			}
			*x.to = append(*x.to, d)
		}
	}
	s.ColdMS, s.ColdEmptyMS = milliseconds(median(ours)), milliseconds(median(empty))
	s.ColdRatio = s.ColdMS / s.ColdEmptyMS
	s.ColdNotifyMS, s.ColdBareMS = milliseconds(median(notify)), milliseconds(median(bare))
	return nil
}

func coldStart(b binary, policy string) (time.Duration, error) {
	i, err := start(b, policy)
	if err != nil {
		return 0, err
	}
	at, err := i.ready()
	return at.Sub(i.begun), errors.Join(err, i.stop())
}

// notForUs is an event that the function knows nothing about.
const notForUs = "snapshot-completed.json"

// warm measures an event that is not for us, through the running binary and through
// the empty handler in turn, and then the memory of the process.
func (s *summary) warm(b *binaries, root string, n sizes) error {
	payload, err := os.ReadFile(filepath.Join(root, "events", "samples", notForUs))
	if err != nil {
		return fmt.Errorf("reading a sample: %w", err)
	}
	ours, err := start(b.function, b.policy)
	if err != nil {
		return err
	}
	empty, err := start(b.empty, b.policy)
	if err != nil {
		return errors.Join(err, ours.stop())
	}
	err = s.pairs(ours, empty, payload, n.pairs)
	if err == nil {
		s.RSSMiB, err = ours.memory("VmRSS")
	}
	if err == nil {
		s.PeakMiB, err = ours.memory("VmHWM")
	}
	if err == nil {
		s.RSSEmptyMiB, err = empty.memory("VmRSS")
	}
	return errors.Join(err, ours.stop(), empty.stop())
}

func (s *summary) pairs(ours, empty *instance, payload []byte, n int) error {
	both := []*instance{ours, empty}
	times := make([][]time.Duration, len(both))
	for _, i := range both {
		if _, err := i.ready(); err != nil {
			return err
		}
	}
	differences := make([]time.Duration, n)
	for k := range n {
		for at, i := range both {
			d, err := i.invoke(payload)
			if err != nil {
				return err
			}
			times[at] = append(times[at], d)
		}
		differences[k] = times[0][k] - times[1][k]
	}
	s.WarmUS, s.WarmEmptyUS = microseconds(median(times[0])), microseconds(median(times[1]))
	s.WarmDiffUS = microseconds(median(differences))
	return nil
}

package main

import (
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows how far something has come, with its rate and the time that is left.
// Without a person to watch, it shows nothing.
type progress struct{ bar *progressbar.ProgressBar }

// progress begins one of so many things; 0: nobody knows how many.
func (j *job) progress(what string, most int) *progress {
	if !j.live || j.json {
		return &progress{}
	}
	if most == 0 {
		most = -1
	}
	return &progress{progressbar.NewOptions(most,
		progressbar.OptionSetWriter(j.err), progressbar.OptionSetDescription(what), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("things"), progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetWidth(24), progressbar.OptionClearOnFinish(), progressbar.OptionSpinnerType(14))}
}

func (p *progress) add(n int) {
	if p.bar != nil {
		_ = p.bar.Add(n) // a bar that cannot be drawn is no reason to stop
	}
}

// to sets how far of 100 it has come.
func (p *progress) to(percent int) {
	if p.bar != nil {
		_ = p.bar.Set(percent)
	}
}

func (p *progress) say(what string) {
	if p.bar != nil {
		p.bar.Describe(what)
	}
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}

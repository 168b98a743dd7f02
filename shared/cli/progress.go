package cli

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how far a command is, with its rate and the remaining time. Without a
// terminal it shows nothing.
type progress struct {
	bar *progressbar.ProgressBar
	// what is the text beside the bar; seen counts, if the total is unknown.
	what    string
	seen    int
	endless bool
}

// progress starts a progress bar with a total; 0: it is unknown.
func (j *job) progress(what string, most int) *progress {
	var more []progressbar.Option
	if j.live && columns(j.err) >= beside {
		more = append(more, progressbar.OptionShowIts(), progressbar.OptionSetItsString("resources"))
	}
	if most == 0 {
		return j.bar(what, -1, more...)
	}
	return j.bar(what, most, append(more, progressbar.OptionShowCount())...)
}

// percent starts a progress bar that [progress.to] sets.
func (j *job) percent(what string) *progress { return j.bar(what, 100) }

func (j *job) bar(what string, most int, more ...progressbar.Option) *progress {
	if !j.live || j.json {
		return &progress{}
	}
	bar := progressbar.NewOptions(most, append(more,
		progressbar.OptionSetWriter(j.err), progressbar.OptionSetDescription(what), progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetWidth(max(4, min(24, columns(j.err)-beside))),
		progressbar.OptionClearOnFinish(), progressbar.OptionSpinnerType(14))...)
	_ = bar.RenderBlank()
	return &progress{bar: bar, what: what, endless: most < 0}
}

// beside is the approximate width, in columns, of a line without its bar.
const beside = 70

// columns is the width of a terminal.
func columns(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil {
			return n
		}
	}
	return beside
}

func (p *progress) add(n int) {
	if p.bar != nil {
		_ = p.bar.Add(n) // the command continues if the bar cannot be drawn
		if p.seen += n; p.endless {
			p.bar.Describe(fmt.Sprintf("%s, %d seen", p.what, p.seen))
		}
	}
}

// to sets the percentage.
func (p *progress) to(percent int) {
	if p.bar != nil {
		_ = p.bar.Set(percent)
	}
}

func (p *progress) say(what string) {
	p.what = what
	p.add(0)
}

// end removes the bar from the screen. It may be called again.
func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
		p.bar = nil
	}
}

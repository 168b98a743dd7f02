package cli

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"fleetwarden/shared/command"
)

// progress shows how far a command is, with its rate and the remaining time. Without a
// terminal it shows nothing.
type progress struct {
	bar *progressbar.ProgressBar
	// what is the text beside the bar; seen counts, if the total is unknown.
	what    string
	seen    int
	endless bool
	// longest is how many characters of text fit beside what the bar adds.
	longest int
}

// broad is from how many columns on a line has the rate and the remaining time, too, which take
// rates columns. narrow is what any line has beside its text: a spinner or percentage, the bar, and a time.
const broad, rates, narrow = 100, 36, 24

// Progress implements command.Output.
func (t *text) Progress(what string, most int) command.Progress {
	if !t.live {
		return command.Silent{}
	}
	t.bar = newProgress(t.err, columns(t.err), what, most)
	return t.bar
}

// newProgress draws on lines of a width, in columns.
func newProgress(w io.Writer, width int, what string, most int) *progress {
	bar := max(4, min(24, width-broad))
	p := &progress{what: what, endless: most == 0, longest: width - narrow - (bar - 4)}
	if !p.endless {
		p.longest -= len(fmt.Sprintf("(%d/%d)", most, most))
	}
	more := []progressbar.Option{
		progressbar.OptionSetWriter(w), progressbar.OptionThrottle(100 * time.Millisecond), progressbar.OptionSetWidth(bar),
		progressbar.OptionClearOnFinish(), progressbar.OptionSpinnerType(14), progressbar.OptionSetPredictTime(width >= broad),
	}
	if width >= broad {
		p.longest -= rates
		more = append(more, progressbar.OptionShowIts(), progressbar.OptionSetItsString("resources"))
	}
	more = append(more, progressbar.OptionSetDescription(p.fit(what)))
	if most == 0 {
		most = -1
	} else {
		more = append(more, progressbar.OptionShowCount())
	}
	p.bar = progressbar.NewOptions(most, more...)
	_ = p.bar.RenderBlank() // the command continues if the bar cannot be drawn
	return p
}

// fit is a text that leaves room for the bar.
func (p *progress) fit(text string) string {
	if runes := []rune(text); len(runes) > max(8, p.longest) {
		return string(runes[:max(8, p.longest)-1]) + "…"
	}
	return text
}

// columns is the width of a terminal.
func columns(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil {
			return n
		}
	}
	return 80
}

// Add implements command.Progress.
func (p *progress) Add(n int) {
	if p.bar == nil {
		return
	}
	_ = p.bar.Add(n)
	text := p.what
	if p.seen += n; p.endless && p.seen > 0 {
		text = fmt.Sprintf("%d seen, %s", p.seen, text)
	}
	p.bar.Describe(p.fit(text))
}

// Say implements command.Progress.
func (p *progress) Say(what string) {
	p.what = what
	p.Add(0)
}

// End implements command.Progress.
func (p *progress) End() {
	if p.bar != nil {
		_ = p.bar.Finish()
		p.bar = nil
	}
}

// clear takes the bar off the screen until it is drawn again.
func (p *progress) clear() {
	if p != nil && p.bar != nil {
		_ = p.bar.Clear()
	}
}

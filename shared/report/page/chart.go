package page

import (
	"fmt"
	"html"
	"html/template"
	"strings"
	"unicode"

	"github.com/go-analyze/charts"
)

// The library writes colors into the drawing. It gets placeholders, which become the page's
// CSS variables afterwards: one drawing serves light, dark and paper.
var inks = []struct{ variable string }{{"--ink-soft"}, {"--line"}, {"--card"}, {"--pass"}, {"--fail"}, {"--open"},
	{"--critical"}, {"--high"}, {"--medium"}, {"--low"}, {"--info"}, {"--ink"}, {"--s1"}, {"--s2"}, {"--s3"}, {"--s4"}}

// ink returns the placeholder of a CSS variable, which must be one of inks.
func ink(variable string) charts.Color {
	for i, v := range inks {
		if v.variable == variable {
			return charts.Color{R: 1, G: 2, B: uint8(i + 3), A: 255}
		}
	}
	return charts.ColorTransparent
}

// paint replaces the placeholders. Fonts are the page's own.
func paint(svg string) template.HTML {
	pairs := []string{`;font-family:'Roboto Medium',sans-serif`, "", `;font-family:'Roboto',sans-serif`, ""}
	for i, v := range inks {
		pairs = append(pairs, charts.Color{R: 1, G: 2, B: uint8(i + 3), A: 255}.String(), "var("+v.variable+")")
	}
	svg = strings.NewReplacer(pairs...).Replace(svg)
	svg = strings.Replace(svg, "<svg ", `<svg aria-hidden="true" focusable="false" `, 1)
	return template.HTML(svg)
}

// theme is the style of all charts, with a color for each series.
func theme(series ...string) charts.ColorPalette {
	o := charts.ThemeOption{
		AxisStrokeColor: ink("--line"), AxisSplitLineColor: ink("--line"), BackgroundColor: ink("--card"),
		TextColor: ink("--ink-soft"),
	}
	for _, s := range series {
		o.SeriesColors = append(o.SeriesColors, ink(s))
	}
	return charts.MakeTheme(o)
}

// label escapes a text from the cloud for the library, which does not. It is cut before it
// is escaped.
func label(s string, runes int) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n == runes {
			b.WriteRune('…')
			break
		}
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			r = ' '
		}
		b.WriteRune(r)
		n++
	}
	return html.EscapeString(b.String())
}

// size is the width of a chart: a phone gets its own drawing, since scaled letters are
// unreadable.
type size struct{ width int }

var (
	wide   = size{620}
	narrow = size{340}
)

// chart is both drawings.
type chart struct{ Wide, Narrow template.HTML }

// draw makes both drawings of a chart.
func draw(height int, with func(*charts.Painter, size) error) (chart, error) {
	var both [2]template.HTML
	for i, s := range []size{wide, narrow} {
		svg, err := drawOne(s.width, height, func(p *charts.Painter) error { return with(p, s) })
		if err != nil {
			return chart{}, err
		}
		both[i] = svg
	}
	return chart{both[0], both[1]}, nil
}

func drawOne(width, height int, with func(*charts.Painter) error) (template.HTML, error) {
	p := charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputSVG, Width: width, Height: height})
	if err := with(p); err != nil {
		return "", fmt.Errorf("drawing a chart: %w", err)
	}
	svg, err := p.Bytes()
	if err != nil {
		return "", fmt.Errorf("drawing a chart: %w", err)
	}
	return paint(string(svg)), nil
}

package page

import (
	"html/template"
	"math"
	"slices"
	"time"

	"github.com/go-analyze/charts"

	"fleetwarden/shared/report"
)

// Measures of the bars, in pixels of the drawing.
const (
	barRow, barTop, barHeight = 52, 23, 15
	leastSegment              = 3
	// toothGap is between the upright lines that mark failures without color.
	toothGap = 5
	// slack is room for fonts that are wider than the one that the library measures
	// with, in percent.
	slack = 120
)

// controlsChart is a bar for each control: the parts of its checks that pass, fail and are
// unknown. The bars of the library cannot end at 100 %; these are drawn with its painter.
func controlsChart(controls []report.RulePosture) (chart, error) {
	return draw(barRow*len(controls), func(p *charts.Painter, s size) error {
		p.FilledRect(0, 0, s.width, p.Height(), ink("--card"), ink("--card"), 0)
		name := charts.FontStyle{FontSize: 10, FontColor: ink("--ink"), Font: charts.GetDefaultFont()}
		for i, c := range controls {
			y := i * barRow
			p.Text(label(c.Control, 28), 0, y+14, 0, name)
			share := percent(c.Posture)
			p.Text(share, s.width-p.MeasureText(share, 0, name).Width()*slack/100, y+14, 0, name)
			x := 0
			for j, w := range segments(s.width, c.Pass, c.Fail, c.Open) {
				color := ink([]string{"--pass", "--fail", "--open", "--line"}[j])
				if w > 0 {
					p.FilledRect(x, y+barTop, x+w, y+barTop+barHeight, color, color, 0)
				}
				if j == 1 && w > toothGap {
					middle := y + barTop + barHeight/2
					p.DashedLineStroke([]charts.Point{{X: x + toothGap, Y: middle}, {X: x + w, Y: middle}}, ink("--card"), barHeight+1, []float64{1, toothGap - 1})
				}
				x += w
			}
		}
		return nil
	})
}

// segments divides a width among counts; its last element is the rest where all counts are
// zero. Every count above zero is visible, at the expense of the largest.
func segments(width int, counts ...int) []int {
	out := make([]int, len(counts)+1)
	total, largest := 0, 0
	for i, n := range counts {
		total += n
		if n > counts[largest] {
			largest = i
		}
	}
	if total == 0 {
		out[len(counts)] = width
		return out
	}
	rest := width
	for i, n := range counts {
		if n > 0 && i != largest {
			out[i] = max(leastSegment, int(math.Round(float64(width)*float64(n)/float64(total))))
			rest -= out[i]
		}
	}
	out[largest] = rest
	return out
}

// symbols distinguish the lines of the trend without color.
var symbols = []struct {
	symbol charts.Symbol
	glyph  string
	color  string
}{
	{charts.SymbolDot, "●", "--ink"}, {charts.SymbolSquare, "■", "--s1"}, {charts.SymbolDiamond, "◆", "--s2"},
	{charts.SymbolCircle, "○", "--s3"}, {charts.SymbolDot, "•", "--s4"},
}

// line is one line of the trend.
type line struct {
	Name, Glyph, Color string
	symbol             charts.Symbol
	values             []float64
}

// trendLines is the posture of the whole and of each control, sweep by sweep. Controls
// beyond the number of symbols are in the table only.
func trendLines(sweeps []report.Summary) []line {
	names := []string{""}
	for _, s := range sweeps {
		for _, c := range s.Controls() {
			if !slices.Contains(names, c.Control) {
				names = append(names, c.Control)
			}
		}
	}
	slices.Sort(names)
	var lines []line
	for i, name := range names[:min(len(names), len(symbols))] {
		l := line{Name: name, Glyph: symbols[i].glyph, Color: symbols[i].color, symbol: symbols[i].symbol}
		for _, s := range sweeps {
			l.values = append(l.values, value(postureOf(s, name)))
		}
		lines = append(lines, l)
	}
	lines[0].Name = "all"
	return lines
}

// postureOf is the posture of a control; "" is the whole sweep's.
func postureOf(s report.Summary, control string) report.Posture {
	if control == "" {
		return s.Posture()
	}
	for _, c := range s.Controls() {
		if c.Control == control {
			return c.Posture
		}
	}
	return report.Posture{}
}

// value is a posture in percent; without checks, the line has a gap.
func value(p report.Posture) float64 {
	share, ok := p.Share()
	if !ok {
		return charts.GetNullValue()
	}
	return share * 100
}

// lowest is where the axis of a trend begins: below all its values, but close enough that
// they are not flat.
func lowest(lines []line) float64 {
	low := 100.0
	for _, l := range lines {
		for _, v := range l.values {
			if v != charts.GetNullValue() {
				low = min(low, v)
			}
		}
	}
	for _, floor := range []float64{95, 90, 80, 60} {
		if low >= floor+1 {
			return floor
		}
	}
	return 0
}

func trendChart(lines []line, times []time.Time) (chart, error) {
	return draw(240, func(p *charts.Painter, s size) error {
		var data [][]float64
		var colors []string
		for _, l := range lines {
			data = append(data, l.values)
			colors = append(colors, l.Color)
		}
		o := charts.NewLineChartOptionWithData(data)
		o.Theme = theme(colors...)
		for i, l := range lines {
			o.SeriesList[i].Symbol = l.symbol
		}
		o.LineStrokeWidth = 1.8
		o.Padding = charts.NewBox(5, 8, 14, 0)
		o.Legend.Show = charts.Ptr(false)
		every := 1 + (len(times)-1)/(s.width/70)
		for i, t := range times {
			if (len(times)-1-i)%every == 0 {
				o.XAxis.Labels[i] = t.UTC().Format("Jan 2")
			}
		}
		o.XAxis.LabelFontStyle = charts.FontStyle{FontSize: 9, FontColor: ink("--ink-soft")}
		o.XAxis.LabelCount = len(times)
		o.YAxis[0] = charts.YAxisOption{
			Min: charts.Ptr(lowest(lines)), Max: charts.Ptr(100.0), LabelCount: 5, RangeValuePaddingScale: charts.Ptr(0.0),
			LabelFontStyle: charts.FontStyle{FontSize: 9, FontColor: ink("--ink-soft")},
			ValueFormatter: func(v float64) string { return tenths(math.Round(v*10)) + " %" },
		}
		return p.LineChart(o)
	})
}

// severityChart is a ring of violations and conflicts by severity.
func severityChart(severities []report.SeverityCount) (template.HTML, error) {
	return drawOne(200, 200, func(p *charts.Painter) error {
		var data []float64
		var colors []string
		for _, c := range severities {
			data = append(data, float64(c.N))
			colors = append(colors, severityColor(c))
		}
		o := charts.NewDoughnutChartOptionWithData(data)
		o.Theme = theme(colors...)
		o.Legend.Show = charts.Ptr(false)
		o.RadiusRing, o.RadiusCenter = "46%", "31%"
		o.CenterValues = "sum"
		o.CenterValuesFontStyle = charts.FontStyle{FontSize: 22, FontColor: ink("--ink")}
		o.ValueFormatter = func(v float64) string { return count(int(v)) }
		for i := range o.SeriesList {
			o.SeriesList[i].Label.Show = charts.Ptr(false)
		}
		o.Padding = charts.NewBox(0, 0, 0, 0)
		return p.DoughnutChart(o)
	})
}

// severityColor names the color of a severity; an unknown one has that of the least urgent.
func severityColor(c report.SeverityCount) string {
	if c.Severity.Rank() == 0 {
		return "--info"
	}
	return "--" + string(c.Severity)
}

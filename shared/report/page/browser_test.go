package page_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fleetwarden/shared/fleet"
)

// TestThePageInABrowser tests the page in a browser, where there is one.
func TestThePageInABrowser(t *testing.T) {
	path, ok := browser(t)
	if !ok {
		return
	}
	s, earlier := full()
	poison, _, bad := poisoned(canary)
	s.Shards = append(s.Shards, poison.Shards...)
	page := filepath.Join(t.TempDir(), "report.html")
	findings := func(yield func(fleet.Record, error) bool) {
		for r, err := range some(60) {
			if !yield(r, err) {
				return
			}
		}
		yield(bad, nil)
	}
	if err := os.WriteFile(page, []byte(render(t, s, earlier, findings)), 0o600); err != nil {
		t.Fatal(err)
	}
	c := open(t, path, page)

	t.Run("it finds, filters and sorts", c.in(finds))
	t.Run("it follows the system's theme and the reader's", c.in(themes))
	t.Run("it fits each screen", c.in(fits))
	t.Run("it can be read in light and dark", c.in(contrasts))
	if len(c.asked) != 1 {
		t.Errorf("the page made the browser ask for %q, want itself alone", c.asked)
	}
	if len(c.errors) > 0 {
		t.Errorf("the browser complains:\n%s", strings.Join(c.errors, "\n"))
	}
}

// in runs a part that reports the browser's failures.
func (c *chromium) in(part func(*testing.T, *chromium)) func(*testing.T) {
	return func(t *testing.T) {
		was := c.t
		c.t = t
		defer func() { c.t = was }()
		part(t, c)
	}
}

func (c *chromium) want(js, want string) {
	c.t.Helper()
	if got := c.eval(js); got != want {
		c.t.Errorf("%s\nis %s, want %s", js, got, want)
	}
}

func finds(t *testing.T, c *chromium) {
	const shown = `document.querySelector("#filter output").textContent`
	const visible = `[...document.querySelectorAll("#list tbody tr")].filter(r => r.checkVisibility())`
	c.want(shown, `"61 of 61 shown"`)
	c.eval(`f = document.getElementById("filter"); f.elements.text.value = "onerror AGENT-nowhere"; f.dispatchEvent(new Event("input"))`)
	c.want(visible+`.length`, `0`)
	c.want(`document.getElementById("nothing").checkVisibility()`, `true`)
	c.eval(`f.elements.text.value = "ONERROR img"; f.dispatchEvent(new Event("input"))`)
	c.want(shown, `"1 of 61 shown"`)
	c.eval(`f.elements.text.value = ""; f.elements.severity.value = "critical"; f.elements.outcome.value = "violation"; f.dispatchEvent(new Event("input"))`)
	c.want(visible+`.every(r => r.cells[0].textContent == "critical" && r.cells[1].textContent == "violation")`, `true`)
	c.want(visible+`.length > 0 && `+visible+`.length < 61`, `true`)
	c.eval(`new Promise(done => { f.reset(); setTimeout(done) })`)
	c.want(shown, `"61 of 61 shown"`)
	c.want(`b = document.querySelectorAll("#list th button")[2]; b.focus(); b.click(); document.activeElement.textContent + b.parentNode.ariaSort`, `"Thingascending"`)
	c.want(`ids = `+visible+`.map(r => r.cells[2].textContent.trim()); ids.join() == ids.toSorted((a, b) => a.localeCompare(b, "en", {numeric: true})).join()`, `true`)
	c.want(`document.querySelectorAll("img").length + document.scripts.length`, `1`)
}

func themes(t *testing.T, c *chromium) {
	const page = `getComputedStyle(document.body).backgroundColor`
	c.device(1400, "light")
	light := c.eval(page)
	c.device(1400, "dark")
	dark := c.eval(page)
	if light == dark {
		t.Fatalf("light and dark are both %s", light)
	}
	c.eval(`button = document.getElementById("theme"); button.click()`)
	c.want(`button.textContent`, `"Theme: light"`)
	c.want(page, light)
	c.device(1400, "light")
	c.eval(`button.click()`)
	c.want(page, dark)
	c.eval(`button.click()`)
	c.want(`button.textContent`, `"Theme: automatic"`)
	c.want(page, light)
}

func fits(t *testing.T, c *chromium) {
	const outside = `.filter(e => e.checkVisibility() && !e.closest(".scroll *, .skip") && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map(e => e.tagName + "." + e.className)`
	for _, width := range []int{320, 390, 768, 1024, 1281, 1400} {
		t.Run(fmt.Sprint(width, " pixels"), c.in(func(t *testing.T, c *chromium) {
			c.device(width, "light")
			c.want(`(root = document.documentElement).scrollWidth - root.clientWidth`, `0`)
			c.want(`[...document.querySelectorAll("body *")]`+outside, `[]`)
			c.want(`(shown = [...document.querySelectorAll("svg")].filter(s => s.checkVisibility())).length`, `3`)
			c.want(`letters = shown.flatMap(s => [...s.querySelectorAll("text")]); letters.length > 5`, `true`)
			c.want(`letters.filter(e => e.getBoundingClientRect().right > e.ownerSVGElement.getBoundingClientRect().right + 1).map(e => e.textContent)`, `[]`)
			c.want(`letters.every(e => e.getBoundingClientRect().height >= 9)`, `true`)
		}))
	}
}

// contrasts measures text against what lies behind it, by WCAG 2.2's formula: 4.5 is
// its level AA.
func contrasts(t *testing.T, c *chromium) {
	for _, scheme := range []string{"light", "dark"} {
		c.device(1400, scheme)
		c.want(contrast, `[]`)
	}
}

const contrast = `(() => {
	const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
	const known = new Map();
	const rgba = (color) => { if (!known.has(color)) known.set(color, measured(color)); return known.get(color); };
	const measured = (color) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
	const light = (c) => c.slice(0, 3).map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
	const behind = (e) => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c; } return [255, 255, 255, 255]; };
	const poor = new Set();
	for (const e of document.querySelectorAll("body *")) {
		if (!e.checkVisibility() || e.closest(".skip, svg, option") || ![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
		const [a, b] = [light(rgba(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
		if ((a + 0.05) / (b + 0.05) < 4.5) poor.add(e.tagName + "." + e.className + " " + ((a + 0.05) / (b + 0.05)).toFixed(2));
	}
	return [...poor];
})()`

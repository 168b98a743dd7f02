package page_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"
)

// chromium is a headless browser, spoken to by DevTools messages over two pipes. It
// has a profile of its own, shows local files only and ends with the test.
type chromium struct {
	t       *testing.T
	w       io.Writer
	r       *bufio.Reader
	session string
	id      int
	// errors are what the page complained of: exceptions, and what its policy refused.
	errors []string
	// asked are the addresses that were asked for.
	asked []string
}

// message is a DevTools command, answer or event.
type message struct {
	ID      int             `json:"id,omitempty"`
	Session string          `json:"sessionId,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   json.RawMessage `json:"error,omitempty"`
}

// browser finds one, or says loudly that there is none.
func browser(t *testing.T) (string, bool) {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, true
		}
	}
	const why = "NOT RUN: no chromium, chromium-browser or google-chrome on the PATH; the page was not looked at in a browser"
	t.Log(why)
	fmt.Fprintln(os.Stderr, t.Name()+": "+why)
	return "", false
}

// open starts a browser and shows it a page.
func open(t *testing.T, path, page string) *chromium {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	in, toBrowser := pipe(t)
	fromBrowser, out := pipe(t)
	cmd := exec.CommandContext(ctx, path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
		"--user-data-dir="+profile(t), "--remote-debugging-pipe", "about:blank")
	cmd.ExtraFiles = []*os.File{in, out}
	// With a buffer, Wait waits for the browser's own children too: they write to its
	// profile to the last.
	var complaints bytes.Buffer
	cmd.Stderr, cmd.WaitDelay = &complaints, 10*time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = in.Close(), out.Close()
	c := &chromium{t: t, w: toBrowser, r: bufio.NewReader(fromBrowser)}
	t.Cleanup(func() {
		c.session = ""
		c.send("Browser.close", struct{}{})
		_ = cmd.Wait() // it may have been killed by the time limit, which failed the test
		cancel()
	})
	var target struct{ TargetID string }
	c.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	c.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	c.session = attached.SessionID
	for _, domain := range []string{"Page.enable", "Runtime.enable", "Log.enable", "Network.enable"} {
		c.call(domain, struct{}{}, nil)
	}
	c.call("Page.navigate", map[string]any{"url": "file://" + page}, nil)
	c.await("Page.loadEventFired")
	return c
}

// profile is a folder of the browser's own. That it cannot be removed is no failure of
// the page.
func profile(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "fleetwarden-page-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	return r, w
}

func (c *chromium) send(method string, params any) {
	c.id++
	raw, err := json.Marshal(params)
	if err != nil {
		c.t.Fatal(err)
	}
	data, err := json.Marshal(message{ID: c.id, Session: c.session, Method: method, Params: raw})
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.w.Write(append(data, 0)); err != nil {
		c.t.Errorf("%s: %v", method, err)
	}
}

// next reads one message, and notes it if it is a complaint.
func (c *chromium) next() message {
	c.t.Helper()
	data, err := c.r.ReadBytes(0)
	if err != nil {
		c.t.Fatalf("the browser is gone: %v", err)
	}
	var m message
	if err := json.Unmarshal(data[:len(data)-1], &m); err != nil {
		c.t.Fatal(err)
	}
	if m.Method == "Runtime.exceptionThrown" || m.Method == "Log.entryAdded" {
		c.errors = append(c.errors, string(data[:len(data)-1]))
	}
	if m.Method == "Network.requestWillBeSent" {
		var p struct{ Request struct{ URL string } }
		if err := json.Unmarshal(m.Params, &p); err != nil {
			c.t.Fatal(err)
		}
		c.asked = append(c.asked, p.Request.URL)
	}
	return m
}

func (c *chromium) await(event string) {
	c.t.Helper()
	for c.next().Method != event {
	}
}

func (c *chromium) call(method string, params, result any) {
	c.t.Helper()
	c.send(method, params)
	for {
		m := c.next()
		if m.ID != c.id {
			continue
		}
		if m.Error != nil {
			c.t.Fatalf("%s: %s", method, m.Error)
		}
		if result != nil {
			if err := json.Unmarshal(m.Result, result); err != nil {
				c.t.Fatal(err)
			}
		}
		return
	}
}

// eval runs JavaScript, waits for a promise, and returns its value as JSON.
func (c *chromium) eval(js string) string {
	c.t.Helper()
	var r struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails json.RawMessage
	}
	c.call("Runtime.evaluate", map[string]any{"expression": js, "returnByValue": true, "awaitPromise": true}, &r)
	if r.ExceptionDetails != nil {
		c.t.Fatalf("%s: %s", js, r.ExceptionDetails)
	}
	return string(r.Result.Value)
}

// device makes the page as wide as a screen, in light or dark.
func (c *chromium) device(width int, scheme string) {
	c.t.Helper()
	c.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600}, nil)
	c.call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
}

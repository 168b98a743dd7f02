package channel

import (
	"encoding/json"
	"io"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// address is the secret of a channel: where to post, and the key to sign with.
type address struct {
	url  *url.URL
	sign string
}

// parseAddress reads the text of a secret. The fault quotes nothing of it.
func parseAddress(text string, f form, networks []netip.Prefix) (a address, fault string) {
	const want = `it is neither a URL nor {"url":"https://…","sign":"…"}`
	text = strings.TrimSpace(text)
	parts := struct {
		URL  string `json:"url"`
		Sign string `json:"sign"`
	}{URL: text}
	if strings.HasPrefix(text, "{") {
		d := json.NewDecoder(strings.NewReader(text))
		d.DisallowUnknownFields()
		parts.URL = ""
		if err := d.Decode(&parts); err != nil {
			return a, want
		}
		if _, err := d.Token(); err != io.EOF {
			return a, want
		}
	}
	u, err := url.Parse(strings.TrimSpace(parts.URL))
	switch {
	case err != nil || u.Scheme != "https" || u.Hostname() == "":
		return a, want + ", with https"
	case u.User != nil || u.Fragment != "":
		return a, "its URL has a user or a fragment"
	case f.hosts != nil && !slices.Contains(f.hosts, strings.ToLower(u.Hostname())):
		return a, "the host of its URL is not " + strings.Join(f.hosts, " or ")
	case !f.anyPort && u.Port() != "" && u.Port() != "443":
		return a, "its URL has another port than 443"
	case !strings.HasPrefix(u.Path, f.path) || f.path != "" && f.token == "" && u.Path == f.path:
		return a, "the path of its URL does not begin with " + f.path + ", or ends there"
	case f.token != "" && u.Query().Get(f.token) == "":
		return a, "its URL has no " + f.token
	case f.key == keyNone && parts.Sign != "":
		return a, `it has a "sign", with which this type of channel does nothing`
	case f.key == keyMust && parts.Sign == "":
		return a, `it has no "sign", the key of the signature`
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && !admits(ip, networks) {
		return a, "the address of its URL is in no public network, and in none of the channel's networks"
	}
	return address{u, parts.Sign}, ""
}

// maxSays bounds what is passed on of an answer, in characters.
const maxSays = 200

// cleaner returns a function that makes a text of others fit for an error: without control
// characters, without the address, its parts, and the hidden texts, and cut.
func cleaner(u *url.URL, hidden []string) func(string) string {
	hidden = append(hidden, u.String(), u.RequestURI(), u.RawQuery)
	for _, values := range u.Query() {
		for _, v := range values {
			hidden = append(hidden, v, url.QueryEscape(v))
		}
	}
	for _, part := range strings.Split(u.EscapedPath(), "/") {
		if len(part) > 8 { // shorter ones are words such as send, hook or services
			plain, _ := url.PathUnescape(part)
			hidden = append(hidden, part, plain)
		}
	}
	hidden = slices.DeleteFunc(hidden, func(s string) bool { return len(s) < 4 })
	// The longest first: a part of a secret must not be replaced before the whole.
	slices.SortFunc(hidden, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, s := range hidden {
		pairs = append(pairs, s, "(secret)")
	}
	replacer := strings.NewReplacer(pairs...)
	return func(text string) string { return cut(replacer.Replace(flat(text)), maxSays) }
}

// flat makes a text one line: whitespace becomes a space, and what cannot be seen is removed,
// such as control characters and those that change the direction of writing.
func flat(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.C, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "�")))
}

// cut shortens a text to that many characters.
func cut(text string, longest int) string {
	if utf8.RuneCountInString(text) <= longest {
		return text
	}
	return string([]rune(text)[:longest-1]) + "…"
}

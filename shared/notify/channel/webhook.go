package channel

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/notify"
)

// The headers of a webhook's signature.
const (
	HeaderTimestamp = "X-Fleetwarden-Timestamp"
	HeaderSignature = "X-Fleetwarden-Signature"
)

// webhook is a receiver of the customer's own.
func webhook() form {
	return form{
		anyPort: true, key: keyMust,
		card: func(d notify.Document) (any, bool) {
			m := newDocument(d)
			return m, within(m, 64<<10)
		},
		sign: func(p *post, key string, at time.Time) string {
			seconds := strconv.FormatInt(at.Unix(), 10)
			signature := hex.EncodeToString(sum(key, seconds+"."+string(p.body)))
			p.header.Set(HeaderTimestamp, seconds)
			p.header.Set(HeaderSignature, "sha256="+signature)
			return signature
		},
		judge: byStatus,
	}
}

// documentVersion is the version of [document].
const documentVersion = 1

// document is the body of a webhook's post. The package comment documents it for receivers.
type document struct {
	V        int            `json:"v"`
	ID       string         `json:"id"`
	Title    string         `json:"title"`
	Tone     fleet.Severity `json:"tone"`
	Sections []section      `json:"sections,omitempty"`
	Links    []link         `json:"links,omitempty"`
	Footer   string         `json:"footer,omitempty"`
}

type section struct {
	Heading string `json:"heading,omitempty"`
	Lines   []line `json:"lines,omitempty"`
}

type line struct {
	Label string `json:"label,omitempty"`
	Text  string `json:"text"`
	Code  bool   `json:"code,omitempty"`
}

type link struct {
	Text string `json:"text"`
	URL  string `json:"url"`
}

func newDocument(d notify.Document) document {
	out := document{V: documentVersion, ID: d.ID, Title: d.Title, Tone: d.Tone, Footer: d.Footer}
	for _, s := range d.Sections {
		to := section{Heading: s.Heading}
		for _, l := range s.Lines {
			to.Lines = append(to.Lines, line(l))
		}
		out.Sections = append(out.Sections, to)
	}
	for _, l := range d.Links {
		out.Links = append(out.Links, link(l))
	}
	return out
}

func sum(key, text string) []byte {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(text))
	return h.Sum(nil)
}

// hmac256 is the signature of DingTalk and Feishu.
func hmac256(key, text string) string { return base64.StdEncoding.EncodeToString(sum(key, text)) }

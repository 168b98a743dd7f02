package channel

import (
	"context"
	"fmt"
	"html"
	"strings"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/notify"
	"fleetwarden/shared/policy"
)

// Mail is a mail, as package aliyun/dm has it.
type Mail struct {
	From, Alias string
	To          []string
	Subject     string // up to 100 characters
	Text, HTML  string // up to 80 KiB each; either may be empty
}

// Mailer sends a mail. Its error has a class of fleet.
type Mailer func(ctx context.Context, m Mail) error

// NewMail returns the sink of a channel of type mail.
func NewMail(c policy.Channel, send Mailer) Sink { return &mailer{c, send} }

type mailer struct {
	channel policy.Channel
	send    Mailer
}

// mailBytes is how long a body may be.
const mailBytes = 80 << 10

func (m *mailer) mail(d notify.Document) Mail {
	d = fit(d, m.channel.Lang, func(d notify.Document) bool { return len(inHTML(d)) <= mailBytes })
	return Mail{From: m.channel.From, Alias: "Fleetwarden", To: m.channel.To,
		Subject: cut(mark(d.Tone)+inertPlain(d.Title), 100), Text: asText(d, markup{text: inertPlain, code: asIs}, asIs), HTML: inHTML(d)}
}

func (m *mailer) Payload(d notify.Document) []byte {
	mail := m.mail(d)
	return encode(object{"from": mail.From, "to": mail.To, "subject": mail.Subject, "text": mail.Text, "html": mail.HTML})
}

func (m *mailer) Send(ctx context.Context, d notify.Document) (Answer, error) {
	mail, answer := m.mail(d), Answer{Accepted: true}
	err := m.send(ctx, mail)
	if fleet.ClassOf(err) == fleet.Invalid {
		mail.HTML = ""
		answer.Plain, answer.Says = true, says(err)
		err = m.send(ctx, mail)
	}
	if err == nil {
		return answer, nil
	}
	e := &Error{Channel: policy.ChannelMail, Code: fleet.CodeOf(err), Says: says(err), class: fleet.ClassOf(err), after: fleet.RetryAfter(err)}
	if e.class == fleet.Unclassified {
		e.class, e.unknown = fleet.Unavailable, true
	}
	return Answer{}, e
}

func says(err error) string { return cut(flat(err.Error()), maxSays) }

// inHTML is a document as the body of a mail. Clients of mail link addresses in a text, too.
func inHTML(d notify.Document) string {
	text := func(s string) string { return html.EscapeString(inertPlain(s)) }
	var b strings.Builder
	colour := [...]string{"#188038", "#1a73e8", "#e8710a", "#d93025"}[toneOf(d.Tone)]
	fmt.Fprintf(&b, `<div style="font-family:sans-serif"><h2 style="border-left:6px solid %s;padding-left:8px">%s</h2>`, colour, text(d.Title))
	for _, s := range d.Sections {
		if s.Heading != "" {
			fmt.Fprintf(&b, "\n<h3>%s</h3>", text(s.Heading))
		}
		for _, l := range s.Lines {
			b.WriteString("\n<p>")
			if l.Label != "" {
				fmt.Fprintf(&b, "<b>%s</b>: ", text(l.Label))
			}
			if l.Code {
				fmt.Fprintf(&b, "<code>%s</code>", html.EscapeString(l.Text))
			} else {
				b.WriteString(text(l.Text))
			}
			b.WriteString("</p>")
		}
	}
	for _, l := range d.Links {
		fmt.Fprintf(&b, "\n<p><a href=\"%s\">%s</a></p>", html.EscapeString(l.URL), text(l.Text))
	}
	if d.Footer != "" {
		fmt.Fprintf(&b, "\n<p><small>%s</small></p>", text(d.Footer))
	}
	return b.String() + "</div>\n"
}

package channel

import "fleetwarden/shared/notify"

// teams is a workflow of Teams, "When a Teams webhook request is received", at any host. An
// answer of 202 says that the flow was started, not that it runs to its end. Cards of more than
// 28 KB are refused, some say.
func teams() form {
	return form{
		card: func(d notify.Document) (any, bool) {
			m := teamsMessage(teamsBody(d), d.Links)
			return m, within(m, 20_000)
		},
		plain: func(d notify.Document) any {
			return teamsMessage([]object{teamsRuns(teamsRun(asText(d, markup{text: inertPlain, code: inertPlain}, asIs)))}, nil)
		},
		judge:  byStatus,
		queued: true,
	}
}

func teamsMessage(body []object, links []notify.Link) object {
	card := object{
		"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
		"body": body, "msteams": object{"width": "Full"},
	}
	var actions []object
	for _, l := range links {
		actions = append(actions, object{"type": "Action.OpenUrl", "title": inertPlain(l.Text), "url": l.URL})
	}
	if actions != nil {
		card["actions"] = actions
	}
	return object{"type": "message", "attachments": []object{
		{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": nil, "content": card},
	}}
}

// teamsBody has all texts in runs: unlike a TextBlock they have no markdown
// (learn.microsoft.com/adaptive-cards/schema-explorer/text-run). A mention needs an entity of
// its own in the card.
func teamsBody(d notify.Document) []object {
	colour := [...]string{"Good", "Accent", "Warning", "Attention"}[toneOf(d.Tone)]
	body := []object{teamsRuns(teamsRun(inertPlain(d.Title), "weight", "Bolder", "size", "Medium", "color", colour))}
	for _, s := range d.Sections {
		if s.Heading != "" {
			body = append(body, teamsRuns(teamsRun(inertPlain(s.Heading), "weight", "Bolder")))
		}
		for _, l := range s.Lines {
			var runs []object
			if l.Label != "" {
				runs = append(runs, teamsRun(inertPlain(l.Label)+": ", "weight", "Bolder"))
			}
			if l.Code {
				runs = append(runs, teamsRun(l.Text, "fontType", "Monospace"))
			} else {
				runs = append(runs, teamsRun(inertPlain(l.Text)))
			}
			body = append(body, teamsRuns(runs...))
		}
	}
	if d.Footer != "" {
		body = append(body, teamsRuns(teamsRun(inertPlain(d.Footer), "size", "Small")))
	}
	return body
}

func teamsRuns(runs ...object) object { return object{"type": "RichTextBlock", "inlines": runs} }

// teamsRun is a text with properties, given as names and values.
func teamsRun(text string, properties ...string) object {
	run := object{"type": "TextRun", "text": text}
	for i := 0; i+1 < len(properties); i += 2 {
		run[properties[i]] = properties[i+1]
	}
	return run
}

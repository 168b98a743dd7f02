package robots

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// templates are the colours of a card's header.
var templates = []string{"blue", "wathet", "turquoise", "green", "yellow", "orange", "red", "carmine", "violet", "purple", "indigo", "grey", "default"}

// cardCheck reads a card of Feishu, of the first structure or of 2.0.
func cardCheck(card map[string]any) error {
	newer := card["schema"] != nil
	members := []string{"config", "header", "elements", "card_link"}
	elements, check := list(card["elements"]), cardElement
	if newer {
		members = []string{"schema", "config", "header", "body", "card_link"}
		elements, check = list(object(card["body"])["elements"]), cardElement2
		if text(card["schema"]) != "2.0" {
			return errors.New("schema is 2.0")
		}
	}
	for name := range card {
		if !slices.Contains(members, name) {
			return fmt.Errorf("a card has no %s", name)
		}
	}
	if len(elements) == 0 {
		return errors.New("elements are needed")
	}
	if card["header"] != nil {
		header := object(card["header"])
		if err := cardText(header["title"], "plain_text", "lark_md"); err != nil {
			return fmt.Errorf("header.title: %w", err)
		}
		if t := header["template"]; t != nil && !slices.Contains(templates, text(t)) {
			return fmt.Errorf("header.template: no colour %v", t)
		}
	}
	return each(elements, check)
}

// cardText checks a text object.
func cardText(v any, tags ...string) error {
	m := object(v)
	if !slices.Contains(tags, text(m["tag"])) {
		return fmt.Errorf("a text has one of the tags %q", tags)
	}
	if strings.TrimSpace(text(m["content"])) == "" {
		return errors.New("a text has no content")
	}
	return nil
}

func cardElement(m map[string]any) error {
	switch tag := text(m["tag"]); tag {
	case "hr":
		return nil
	case "div":
		return cardDiv(m)
	case "markdown":
		return cardMarkdown(m)
	case "note":
		return each(list(m["elements"]), func(e map[string]any) error { return cardText(e, "plain_text", "lark_md") })
	case "action":
		if len(list(m["actions"])) == 0 {
			return errors.New("action: actions are needed")
		}
		return each(list(m["actions"]), cardButton)
	case "column_set":
		return cardColumns(m, cardElement)
	default:
		return fmt.Errorf("unknown tag %q", tag)
	}
}

// cardElement2 is of structure 2.0, in which notes and actions have gone.
func cardElement2(m map[string]any) error {
	switch tag := text(m["tag"]); tag {
	case "hr":
		return nil
	case "div":
		return cardDiv(m)
	case "markdown":
		return cardMarkdown(m)
	case "button":
		if len(list(m["behaviors"])) == 0 {
			return errors.New("button: behaviors are needed")
		}
		return errors.Join(cardText(m["text"], "plain_text"), each(list(m["behaviors"]), func(b map[string]any) error {
			if text(b["type"]) != "open_url" {
				return errors.New("button: a custom bot's button opens a URL")
			}
			return cardLink(b["default_url"])
		}))
	case "column_set":
		return cardColumns(m, cardElement2)
	default:
		return fmt.Errorf("unsupported tag %s; cards of schema V2 no longer support this capability", tag)
	}
}

func cardDiv(m map[string]any) error {
	if m["text"] == nil && len(list(m["fields"])) == 0 {
		return errors.New("div: text or fields are needed")
	}
	if m["text"] != nil {
		if err := cardText(m["text"], "plain_text", "lark_md"); err != nil {
			return fmt.Errorf("div: %w", err)
		}
	}
	return each(list(m["fields"]), func(f map[string]any) error { return cardText(f["text"], "plain_text", "lark_md") })
}

func cardMarkdown(m map[string]any) error {
	if strings.TrimSpace(text(m["content"])) == "" {
		return errors.New("markdown: content is needed")
	}
	return nil
}

func cardButton(m map[string]any) error {
	if text(m["tag"]) != "button" {
		return errors.New("simcloud takes no action but buttons")
	}
	if err := cardText(m["text"], "plain_text", "lark_md"); err != nil {
		return fmt.Errorf("button: %w", err)
	}
	if t := m["type"]; t != nil && !slices.Contains([]string{"default", "primary", "danger"}, text(t)) {
		return fmt.Errorf("button: no type %v", t)
	}
	return cardLink(m["url"])
}

func cardLink(v any) error {
	if u := text(v); !strings.HasPrefix(u, "https://") && !strings.HasPrefix(u, "http://") {
		return errors.New("button: a URL is needed")
	}
	return nil
}

func cardColumns(m map[string]any, check func(map[string]any) error) error {
	return each(list(m["columns"]), func(c map[string]any) error {
		if text(c["tag"]) != "column" {
			return errors.New("column_set: columns are needed")
		}
		return each(list(c["elements"]), check)
	})
}

package robots

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/wire"
)

// maxTeams is the largest message that a workflow can post, in bytes: about 28 KB.
const maxTeams = 28 << 10

// teams are workflows that begin "When a Teams webhook request is received". The workflow
// runs after its trigger has accepted a request, and fails unseen by the poster.
func teams() protocol {
	return protocol{
		unknown: wire.Errorf(http.StatusNotFound, "WorkflowNotFound", "The workflow could not be found."),
		wrong:   wire.Errorf(http.StatusUnauthorized, "DirectApiAuthorizationRequired", "The request must be authenticated only by Shared Access scheme."),
		closed:  wire.Errorf(http.StatusNotFound, "WorkflowTriggerNotEnabled", "The workflow is not enabled."),
		refusals: wire.Refusals{
			simcloud.Throttle:      wire.Errorf(http.StatusTooManyRequests, "WorkflowTriggerRateLimitExceeded", "The rate limit is exceeded."),
			simcloud.Deny:          wire.Errorf(http.StatusUnauthorized, "DirectApiAuthorizationRequired", "The request must be authenticated only by Shared Access scheme."),
			simcloud.InternalError: wire.Errorf(http.StatusInternalServerError, "InternalServerError", "Encountered internal server error."),
		},
		check:    teamsCheck,
		accepted: answer{status: http.StatusAccepted},
		refused: func(e *wire.Error) answer {
			return answer{e.Status, jsonUTF8, fmt.Sprintf(`{"error":{"code":%s,"message":%s}}`, quoted(e.Code), quoted(e.Message))}
		},
	}
}

type teamsMessage struct {
	Type        string `json:"type"`
	Summary     string `json:"summary"`
	Attachments []struct {
		ContentType string         `json:"contentType"`
		ContentURL  *string        `json:"contentUrl"`
		Name        string         `json:"name"`
		Content     map[string]any `json:"content"`
	} `json:"attachments"`
}

func teamsCheck(p *post) error {
	if !isJSON(p.Request) {
		return wire.Errorf(http.StatusUnsupportedMediaType, "UnsupportedMediaType", "The content type is not application/json.")
	}
	var m teamsMessage
	if err := read(p.body, &m); err != nil {
		return wire.Errorf(http.StatusBadRequest, "TriggerInputSchemaMismatch", "The input body for trigger 'manual' of type 'Request' did not match its schema definition. (simcloud: %v)", err)
	}
	switch {
	case m.Type != "message" || len(m.Attachments) == 0:
		return &silent{"a message has the type message and attachments"}
	case len(p.body) > maxTeams:
		return &silent{"Request Entity Too Large"}
	}
	for _, a := range m.Attachments {
		if a.ContentType != "application/vnd.microsoft.card.adaptive" {
			return &silent{"an attachment is no adaptive card"}
		}
		if err := adaptiveCard(a.Content); err != nil {
			return &silent{err.Error()}
		}
	}
	return nil
}

// adaptiveVersions are the versions of cards that Teams shows.
var adaptiveVersions = []string{"1.0", "1.1", "1.2", "1.3", "1.4", "1.5"}

func adaptiveCard(card map[string]any) error {
	switch {
	case text(card["type"]) != "AdaptiveCard":
		return errors.New("the type of a card is AdaptiveCard")
	case !slices.Contains(adaptiveVersions, text(card["version"])):
		return fmt.Errorf("no version %v of cards", card["version"])
	case len(list(card["body"])) == 0:
		return errors.New("a card has a body")
	}
	return errors.Join(each(list(card["body"]), adaptiveElement), each(list(card["actions"]), adaptiveAction))
}

// adaptiveValues are those of the properties that have a list of them; case does not count.
var adaptiveValues = map[string][]string{
	"color":    {"default", "dark", "light", "accent", "good", "warning", "attention"},
	"size":     {"default", "small", "medium", "large", "extralarge"},
	"weight":   {"default", "lighter", "bolder"},
	"fontType": {"default", "monospace"},
}

// adaptiveElement checks an element. Unknown properties are ignored, as Teams does.
func adaptiveElement(m map[string]any) error {
	switch kind := text(m["type"]); kind {
	case "TextBlock":
		if text(m["text"]) == "" {
			return errors.New("a TextBlock has a text")
		}
		return adaptiveStyle(m)
	case "RichTextBlock": // since 1.2
		if len(list(m["inlines"])) == 0 {
			return errors.New("a RichTextBlock has inlines")
		}
		return each(list(m["inlines"]), func(run map[string]any) error {
			if text(run["type"]) != "TextRun" || text(run["text"]) == "" {
				return errors.New("an inline is a TextRun with a text")
			}
			return adaptiveStyle(run)
		})
	case "FactSet":
		return each(list(m["facts"]), func(f map[string]any) error {
			if _, ok := f["value"].(string); !ok || text(f["title"]) == "" {
				return errors.New("a fact has a title and a value")
			}
			return nil
		})
	case "CodeBlock": // of Teams
		if text(m["codeSnippet"]) == "" {
			return errors.New("a CodeBlock has a codeSnippet")
		}
		return nil
	case "Container":
		return each(list(m["items"]), adaptiveElement)
	case "ColumnSet":
		return each(list(m["columns"]), func(c map[string]any) error { return each(list(c["items"]), adaptiveElement) })
	case "ActionSet":
		return each(list(m["actions"]), adaptiveAction)
	default:
		return fmt.Errorf("simcloud shows no element of type %q", kind)
	}
}

// adaptiveStyle checks how a TextBlock or a TextRun looks.
func adaptiveStyle(m map[string]any) error {
	for name, values := range adaptiveValues {
		if v := m[name]; v != nil && !slices.Contains(values, strings.ToLower(text(v))) {
			return fmt.Errorf("a text has no %s %v", name, v)
		}
	}
	return nil
}

func adaptiveAction(m map[string]any) error {
	u, err := url.Parse(text(m["url"]))
	if text(m["type"]) != "Action.OpenUrl" || text(m["title"]) == "" || err != nil || !u.IsAbs() {
		return errors.New("an action is Action.OpenUrl, with a title and an absolute URL")
	}
	return nil
}

package channel

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// slow is an error of a class that asks to wait.
type slow struct{ error }

func (slow) Class() fleet.Class        { return fleet.Throttled }
func (slow) RetryAfter() time.Duration { return time.Minute }

func TestAMailThatFailsHasTheClassOfTheCall(t *testing.T) {
	for name, x := range map[string]struct {
		err   error
		class fleet.Class
		odd   bool
	}{
		"denied": {fleet.WithClass(fleet.Denied, errors.New("NoPermission\r\nx")), fleet.Denied, false},
		"lost":   {fleet.WithClass(fleet.Lost, errors.New("no answer")), fleet.Lost, false},
		"limit":  {slow{errors.New("Throttling")}, fleet.Throttled, false},
		"odd":    {errors.New("odd"), fleet.Unavailable, true},
	} {
		sink := NewMail(policy.Channel{Name: "ops"}, func(context.Context, Mail) error { return fmt.Errorf("sending: %w", x.err) })
		_, err := sink.Send(t.Context(), sample())
		var e *Error
		if !errors.As(err, &e) || fleet.ClassOf(err) != x.class || e.Unknown() != x.odd || fleet.RetryAfter(err) != fleet.RetryAfter(x.err) || strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAMailOfWrongShapeIsFollowedByItsText(t *testing.T) {
	var sent []Mail
	sink := NewMail(policy.Channel{From: "ops@example.com", To: []string{"a@example.com"}}, func(_ context.Context, m Mail) error {
		if sent = append(sent, m); m.HTML != "" {
			return fleet.WithClass(fleet.Invalid, errors.New("InvalidBody"))
		}
		return nil
	})
	a, err := sink.Send(t.Context(), sample())
	if err != nil || !a.Plain || !a.Accepted || a.Says != "InvalidBody" || len(sent) != 2 || !strings.Contains(sent[1].Text, "cn-hangzhou") {
		t.Errorf("%+v, %v, %+v", a, err, sent)
	}
}

func TestAMailIsWithinTheLimits(t *testing.T) {
	d := long(500, strings.Repeat("字<", 700))
	d.Title = strings.Repeat("長", 300) + "\r\nBcc: x@example.com"
	m := NewMail(policy.Channel{}, nil).(*mailer).mail(d)
	if utf8.RuneCountInString(m.Subject) > 100 || strings.ContainsAny(m.Subject, "\r\n") || len(m.HTML) > mailBytes || len(m.HTML) < mailBytes/2 || len(m.Text) > mailBytes {
		t.Errorf("subject %q, HTML of %d bytes, text of %d", m.Subject, len(m.HTML), len(m.Text))
	}
}

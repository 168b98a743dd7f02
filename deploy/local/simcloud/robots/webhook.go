package robots

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/wire"
)

// The headers of a signature of a plain webhook.
const (
	timestampHeader = "X-Fleetwarden-Timestamp"
	signatureHeader = "X-Fleetwarden-Signature"
)

// webhookFor is how far the time of a plain webhook's signature may be off.
const webhookFor = 5 * time.Minute

// webhook is a receiver of ours, as an operator would write one: any JSON object, signed with
// sha256=hex(HMAC-SHA256(secret, timestamp+"."+body)).
func webhook() protocol {
	refuse := func(status int, code string) *wire.Error {
		return wire.Errorf(status, code, "%s", http.StatusText(status))
	}
	limited := refuse(http.StatusTooManyRequests, "TooManyRequests")
	forbidden := refuse(http.StatusForbidden, "Forbidden")
	return protocol{
		unknown: refuse(http.StatusNotFound, "NotFound"), wrong: forbidden,
		closed: refuse(http.StatusGone, "Gone"), over: limited, banned: limited,
		refusals: wire.Refusals{simcloud.Throttle: limited, simcloud.Deny: forbidden},
		check:    webhookCheck,
		accepted: answer{status: http.StatusNoContent},
		refused:  func(e *wire.Error) answer { return answer{e.Status, "text/plain", e.Message} },
	}
}

func webhookCheck(p *post) error {
	if !isJSON(p.Request) {
		return wire.Errorf(http.StatusUnsupportedMediaType, "UnsupportedMediaType", "the Content-Type is not application/json")
	}
	if p.robot.Sign != "" {
		stamp := p.Header.Get(timestampHeader)
		sec, err := strconv.ParseInt(stamp, 10, 64)
		if err != nil || p.call.Now.Sub(time.Unix(sec, 0)).Abs() > webhookFor {
			return wire.Errorf(http.StatusUnauthorized, "TimestampExpired", "the timestamp is not within 5 minutes")
		}
		mac := hmac.New(sha256.New, []byte(p.robot.Sign))
		mac.Write([]byte(stamp + "." + string(p.body)))
		if !hmac.Equal([]byte(p.Header.Get(signatureHeader)), []byte("sha256="+hex.EncodeToString(mac.Sum(nil)))) {
			return wire.Errorf(http.StatusUnauthorized, "SignatureMismatch", "the signature does not match")
		}
	}
	var m map[string]any
	if err := read(p.body, &m); err != nil || m == nil {
		return wire.Errorf(http.StatusBadRequest, "BadRequest", "the body is no JSON object")
	}
	return nil
}

package fleet

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// JSONIn is p if it looks like JSON, or the JSON that p is the Base64 of, in either
// alphabet and with or without padding; nil for anything else. Producers that keep an SDK's
// default send Base64 to queues and topics of MNS, and not every trigger decodes it.
func JSONIn(p []byte) []byte {
	if p = bytes.TrimSpace(p); LooksLikeJSON(p) {
		return p
	}
	standard := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(string(p), "="))
	text, err := base64.RawStdEncoding.DecodeString(standard)
	if text = bytes.TrimSpace(text); err != nil || !LooksLikeJSON(text) {
		return nil
	}
	return text
}

// LooksLikeJSON reports whether p can only be meant as a JSON object, list or string.
func LooksLikeJSON(p []byte) bool {
	return len(p) > 0 && (p[0] == '{' || p[0] == '[' || p[0] == '"')
}

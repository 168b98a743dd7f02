// Package channel sends documents to the channels of people: the robots of DingTalk, Feishu
// and WeCom, Slack, Teams, a webhook of one's own, and mail. A channel is one [form]: how a
// document is written, signed and posted there, and what an answer means. One sender does the
// rest. Contracts: the vendors' pages as of 2026-11.
//
// Texts of a document may quote tags and names that an attacker wrote. They become neither
// mentions nor links nor markup: see inert.
//
// # Receivers of a webhook
//
// A webhook gets a POST with a JSON body of up to 64 KiB:
//
//	{"v":1,"id":"…","title":"…","tone":"high","sections":[{"heading":"…","lines":[{"label":"…","text":"…","code":true}]}],
//	 "links":[{"text":"…","url":"https://…"}],"footer":"…"}
//
// Members that are empty are left out; the tone of a digest of which all is well is empty.
// Texts are plain, may contain any markup, and have to be escaped by the receiver. The header
// X-Fleetwarden-Timestamp has the time in seconds, and X-Fleetwarden-Signature the HMAC-SHA256
// of timestamp, a dot and the body, under the key that the secret has as "sign". In Python:
//
//	def genuine(key, headers, body):
//	    at = headers["X-Fleetwarden-Timestamp"]
//	    want = "sha256=" + hmac.new(key.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
//	    return hmac.compare_digest(want, headers["X-Fleetwarden-Signature"]) and abs(time.time() - int(at)) < 300
//
// Any status of 2xx takes the document. 408, 429 and 5xx are tried again later, for a Retry-After
// too; the same id may come twice.
package channel

// Package delivery decides what people are notified of, and when: it is the pass of the
// function notify.
//
// A message of its inbox names what is to be delivered, and where in the ledger that is: what
// a pass found, the report of a sweep, or a card that a channel has not taken yet. What was
// found within a minute or so becomes one card for each rule, account and day, and another only
// where it is more severe than what a channel has of that day. A card is stored before it is
// sent, so that all channels and tries have the same.
//
// All state is in write-once objects of the ledger, so that passes that run at once, die or
// are repeated agree on it:
//
//	notify/found/<day>/<time>.<function>.<request>.json   what a pass found
//	notify/cards/<day>/<key>.json                         a card
//	notify/rate/<channel>/<minute>.<n>.json               the n-th post of a minute
//	notify/sent/<day>/<channel>/<key>/<n>.claim.json      the n-th try begins
//	notify/sent/<day>/<channel>/<key>/<n>.failed.json     and was refused, or not answered
//	notify/sent/<day>/<channel>/<key>/<n>.unknown.json    or got an answer that no documentation has
//	notify/sent/<day>/<channel>/<key>/sent.json           the channel has it
//	notify/sent/<day>/<channel>/<key>/queued.json         a message, or dead letter, carries it on
//
// A channel has no idempotency: where an answer is lost, or a pass dies between the post and
// the last object, the card may come twice, and is not lost. What a channel does not take is
// tried again for a day, then is a dead letter that "fleetwarden redrive" returns. A channel
// that refuses for good (token, signature) costs one call a pass. What fails in a pass returns
// to the inbox by itself: a repeated window would repeat what its other messages had done.
package delivery

// Package notify has the values of what people are notified of: what a pass found, the card
// that is made of it, the digest of a sweep, and the document that both become in one language.
// [NewDigest] makes a digest of a sweep's summary. Package text writes documents, package
// channel sends them, package delivery decides what is sent when. Nothing here reads, sends, or depends on a channel.
package notify

package notify

import "fleetwarden/shared/fleet"

// Document is a card in one language, without markup: a channel writes it in its own. Each
// text may contain anything, markup and mentions too, and is escaped by the channel.
type Document struct {
	// ID is the card's short id.
	ID    string
	Title string
	// Tone is the colour: empty for a digest of which all is well.
	Tone     fleet.Severity
	Sections []Section
	Links    []Link
	// Footer is small print.
	Footer string
}

// Section is a part of a document. The most important come first: a channel that has no room
// for all leaves the last ones out and says so.
type Section struct {
	Heading string // may be empty
	Lines   []Line
}

// Line is a line of a section.
type Line struct {
	Label string // may be empty
	Text  string
	// Code says that Text is to be copied as it is: a command, or ids.
	Code bool
}

// Link is an address of ours or of a console.
type Link struct{ Text, URL string }

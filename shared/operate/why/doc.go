// Package why explains one resource: why it is as it is, and what to do. It answers the
// question of an operator whom the resource does not please: "the agent is not on the new
// instance".
//
// [Sources.Gather] reads what is known of it, from whatever may be read: each reader fails by
// itself, and its failure is a fact of the page. [Explain] is pure: it picks the cause from one
// ordered list, causes, and makes the page. A fact that is not known never counts as fine.
//
// Nothing here writes, and no message is received: an inbox cannot be searched, and receiving
// from it would take work from its function. Passes that changed nothing are in the log store
// alone; where that is not read, the page says so, and the causes that rest on silence say what
// else may have happened. How a page looks to people is in shared/cli.
package why

package fleet

import "time"

// MessageVersion is the version of [Message] that this code writes.
const MessageVersion = 1

// Message is what our inboxes carry: refs to look at again, all of one Scope
// and with one Call. It carries no orders.
type Message struct {
	V int `json:"v"`
	// Function is whose inbox the message is for: a dead letter has no other address.
	Function string `json:"function,omitempty"`
	Scope    Scope  `json:"scope"`
	Kind     Kind   `json:"kind"`
	// IDs are the ids of the refs, at most [MaxBatch]; one empty id for kinds
	// that have none.
	IDs  []string `json:"ids"`
	Call *Call    `json:"call,omitempty"`
	// Try counts the passes so far.
	Try       int       `json:"try"`
	FirstSeen time.Time `json:"firstSeen,omitzero"`
	Run       string    `json:"run,omitempty"`
}

// Refs spells the message out.
func (m Message) Refs() []Ref {
	refs := make([]Ref, len(m.IDs))
	for i, id := range m.IDs {
		refs[i] = Ref{Scope: m.Scope, Kind: m.Kind, ID: id, Call: m.Call, Try: Try{m.Try, m.FirstSeen, m.Run}}
	}
	return refs
}

// Messages packs refs, keeping their order within a message. Refs of another
// Scope, Kind, Call or Try go into messages of their own.
func Messages(refs []Ref) []Message {
	type group struct {
		Scope Scope
		Kind  Kind
		Call  *Call
		Try   Try
	}
	var out []Message
	open := map[group]int{}
	for _, r := range refs {
		g := group{r.Scope, r.Kind, r.Call, r.Try}
		i, ok := open[g]
		if !ok || len(out[i].IDs) == MaxBatch {
			i = len(out)
			open[g] = i
			out = append(out, Message{V: MessageVersion, Scope: r.Scope, Kind: r.Kind, Call: r.Call,
				Try: r.Try.N, FirstSeen: r.Try.FirstSeen, Run: r.Try.Run})
		}
		out[i].IDs = append(out[i].IDs, r.ID)
	}
	return out
}

package fleet

import "time"

// EntryVersion is the version of [Entry] that this code writes.
const EntryVersion = 1

// Stage says what an Entry is about.
type Stage string

// The stages. An intent is closed by its outcome or, when its pass died, by what
// the world showed at a later check. An outcome counts for more: the pass
// may have been slow and not dead.
const (
	// StageIntent: these changes are about to be made.
	StageIntent Stage = "intent"
	// StageOutcome: this became of them, as recorded by the pass that made them.
	StageOutcome Stage = "outcome"
	// StageSettled: this is what was found of them later.
	StageSettled Stage = "settled"
)

// Entry is one object of the ledger: the changes of one batch before they are made,
// or what became of them. It holds no user data and no secrets.
type Entry struct {
	V     int   `json:"v"`
	Stage Stage `json:"stage"`
	// Name is where the ledger keeps it, without its stage.
	Name     string    `json:"-"`
	Function string    `json:"function"`
	Request  string    `json:"request,omitempty"`
	Policy   string    `json:"policy,omitempty"` // digest
	Time     time.Time `json:"time"`
	// Look holds the refs whose verdicts asked for the changes: where to look for
	// what became of them. Only intents have it.
	Look    []Message     `json:"look,omitempty"`
	Changes []EntryChange `json:"changes"`
}

// EntryChange is a change, and the run that it belongs to.
type EntryChange struct {
	ChangeRecord
	Run string `json:"run,omitempty"`
}

// Refs spells out where to look.
func (e Entry) Refs() []Ref {
	var refs []Ref
	for _, m := range e.Look {
		refs = append(refs, m.Refs()...)
	}
	return refs
}

// Scope is where to look: that of all refs. It is false where there are none, or where
// they are of several scopes, which no batch is.
func (e Entry) Scope() (Scope, bool) {
	var scope Scope
	for i, m := range e.Look {
		if i > 0 && m.Scope != scope {
			return Scope{}, false
		}
		scope = m.Scope
	}
	return scope, len(e.Look) > 0
}

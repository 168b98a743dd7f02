package fleet

// Source is how a Fact came to be known.
type Source uint8

// The sources of a Fact. The zero Source is NoSource, so a Fact
// that was never set is not mistaken for one that was read and found empty.
const (
	NoSource Source = iota
	// Observed was read from the cloud in this pass.
	Observed
	// Claimed was said by a request and not confirmed.
	Claimed
)

func (s Source) String() string { return [...]string{"unknown", "observed", "claimed"}[s] }

// Fact is a value and how it is known.
type Fact[T any] struct {
	V      T
	Source Source
	// Why says why an unknown fact is unknown.
	Why string
}

// See returns an observed Fact.
func See[T any](v T) Fact[T] { return Fact[T]{V: v, Source: Observed} }

// Claim returns a claimed Fact.
func Claim[T any](v T) Fact[T] { return Fact[T]{V: v, Source: Claimed} }

// FactOf returns what a read returned: an unknown fact after an error.
func FactOf[T any](v T, err error) Fact[T] {
	if err != nil {
		return Unknown[T](err.Error())
	}
	return See(v)
}

// Unknown returns an unknown Fact with the reason.
func Unknown[T any](why string) Fact[T] { return Fact[T]{Why: why} }

// Known reports whether the fact was observed or claimed.
func (f Fact[T]) Known() bool { return f.Source != NoSource }

// Seen reports whether the fact was observed.
func (f Fact[T]) Seen() bool { return f.Source == Observed }

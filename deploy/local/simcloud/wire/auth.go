package wire

import (
	"crypto/sha256"
	"sync"
	"time"
)

// Keys knows access keys. token is the security token that came with the key;
// empty for a long-term key. The error is an *Error.
type Keys interface {
	Key(id, token string) (secret string, who Identity, err error)
}

// Authorizer answers what a caller may do. It is asked with and without the
// World's mutex held, so it must not take it.
type Authorizer interface {
	Allowed(who Identity, action, resource string, conditions map[string]string) bool
}

// authenticate checks signature, time and nonce, in that order, and says who
// signed. The codes are the API gateway's.
func (r *Router) authenticate(q *request) (Identity, error) {
	if q.key == "" {
		return Identity{}, missing("AccessKeyId")
	}
	secret, who, err := r.o.Keys.Key(q.key, q.token)
	if err != nil {
		return Identity{}, err
	}
	if !q.signed(secret) {
		return Identity{}, Errorf(400, "SignatureDoesNotMatch", "Specified signature is not matched with our calculation.")
	}
	now := r.o.Real()
	if err := q.fresh(now); err != nil {
		return Identity{}, err
	}
	if q.nonce == "" {
		return Identity{}, missing("SignatureNonce")
	}
	if !r.nonces.first(q.key+"\n"+q.nonce, now) {
		return Identity{}, Errorf(400, "SignatureNonceUsed", "Specified signature nonce was used already.")
	}
	return who, nil
}

// nonces remembers what was signed once, in two generations: the older one is
// dropped when the younger one is as old as a request may be, or full.
type nonces struct {
	mu       sync.Mutex
	young    map[[16]byte]struct{}
	old      map[[16]byte]struct{}
	rotateAt time.Time
}

const maxNonces = 1 << 19

// first reports whether the nonce is new, and remembers it.
func (n *nonces) first(nonce string, now time.Time) bool {
	sum := sha256.Sum256([]byte(nonce))
	k := [16]byte(sum[:16])
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.young == nil || now.After(n.rotateAt) || len(n.young) >= maxNonces {
		n.old, n.young = n.young, map[[16]byte]struct{}{}
		n.rotateAt = now.Add(2 * maxSkew)
	}
	_, a := n.young[k]
	_, b := n.old[k]
	n.young[k] = struct{}{}
	return !a && !b
}

func missing(name string) *Error {
	return Errorf(400, "MissingParameter", "The input parameter %q that is mandatory for processing this request is not supplied.", name)
}

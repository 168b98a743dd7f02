package fleet

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Class says what kind of failure an error is, so that those who decide what
// happens next need not know any product's codes.
type Class uint8

// The classes of failure. The zero Class is Unclassified: an error that no table
// lists is never taken for "not found" or "try again".
const (
	Unclassified Class = iota
	// NotFound: the cloud answered that there is no such thing.
	NotFound
	// Exists: the thing to be made is there already.
	Exists
	// Denied: RAM, or the service, refused; the same call will be refused again.
	Denied
	// Invalid: the request itself was refused; it will be refused again.
	Invalid
	// Limit: a quota of the account is reached, such as policies per role.
	Limit
	// Throttled: nothing was done; the same call may succeed in a moment.
	Throttled
	// Busy: nothing was done, because something else is being done with the resource, or
	// it is not in the state for it; the same call may succeed later.
	Busy
	// Absent: the product, or this API of it, is not served in the region. Nothing of it
	// can be there.
	Absent
	// NotWriteOnce: a store replaces the objects that it was to keep. Nothing that rests
	// on it may be done.
	NotWriteOnce
	// Unavailable: the service failed or did not answer, and reading again is
	// harmless. For a write see Lost.
	Unavailable
	// Lost: a write was sent and its answer never came. It may have been done:
	// look before doing it again.
	Lost
	// OutOfBudget: this pass has spent its calls; nothing was sent.
	OutOfBudget
	// Canceled: the pass ended before the answer came.
	Canceled
)

var classNames = [...]string{"unclassified", "not found", "exists", "denied", "invalid", "limit", "throttled",
	"busy", "absent in the region", "not write-once", "unavailable", "lost answer", "out of budget", "canceled"}

func (c Class) String() string { return classNames[c] }

// Passing reports whether time may heal a failure of this class.
func (c Class) Passing() bool {
	return slices.Contains([]Class{Throttled, Busy, Unavailable, Lost, OutOfBudget, Canceled}, c)
}

// Refused reports whether a write that failed so was surely not made.
func (c Class) Refused() bool {
	return slices.Contains([]Class{NotFound, Exists, Denied, Invalid, Limit, Throttled, Busy, Absent, OutOfBudget}, c)
}

// ClassOf returns the class of the first error in err's chain that has one.
func ClassOf(err error) Class {
	var c interface{ Class() Class }
	if errors.As(err, &c) {
		return c.Class()
	}
	return Unclassified
}

// WithClass returns err with a class.
func WithClass(c Class, err error) error { return &classed{err, c} }

type classed struct {
	error
	class Class
}

func (e *classed) Unwrap() error { return e.error }
func (e *classed) Class() Class  { return e.class }

// OfInstance reports whether a call of several instances was refused because of one of
// them: the others may be accepted without it.
func OfInstance(err error) bool {
	var c interface{ OfInstance() bool }
	return errors.As(err, &c) && c.OfInstance()
}

// RetryAfter returns how long the cloud asked to wait, or 0 when it did not say.
func RetryAfter(err error) time.Duration {
	var r interface{ RetryAfter() time.Duration }
	if errors.As(err, &r) {
		return r.RetryAfter()
	}
	return 0
}

// BadInput is an element of an event, message or file that can never be used.
// Its neighbours can.
type BadInput struct {
	// Where names the element: a file and line, or an index.
	Where string
	// The fault: it never quotes the content.
	What string
}

func (e *BadInput) Error() string {
	if e.Where == "" {
		return e.What
	}
	return fmt.Sprintf("%s: %s", e.Where, e.What)
}

// CodeOf returns the product's own code of the first error in err's chain that
// has one, such as InvalidRamRole.NotFound; "" when there is none.
func CodeOf(err error) string {
	var c interface{ ErrorCode() string }
	if errors.As(err, &c) {
		return c.ErrorCode()
	}
	return ""
}

// Ignored is an element that is well formed and not for this function.
type Ignored struct {
	// Where names the element, Why says why it is not checked.
	Where, Why string
}

func (e *Ignored) Error() string {
	if e.Where == "" {
		return e.Why
	}
	return e.Where + ": " + e.Why
}

package why

import (
	"errors"
	"slices"
	"strings"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// Subject is what is asked about.
type Subject struct {
	// Kind is that of an instance, or of the shares of an account, and ID that of the instance.
	Kind fleet.Kind
	ID   string
	// Resource is a snapshot or an image, whose shares are asked about; empty for all.
	Resource string
}

// name is how people call it.
func (s Subject) name() string {
	switch {
	case s.Kind == fleet.KindInstance:
		return s.ID
	case s.Resource != "":
		return s.Resource
	}
	return string(s.Kind)
}

// Controls are those that judge resources of its kind.
func (s Subject) Controls() []string {
	return slices.DeleteFunc(policy.Controls(), func(c string) bool { return (c == policy.ControlShareRole) == (s.Kind == fleet.KindInstance) })
}

// errForm lists the forms of ids.
var errForm = errors.New("it has to be the id of an instance (i-…), of an image (m-…) or snapshot (s-…) of your own that is shared, " +
	"or image-share or snapshot-share for all that the account shares")

// Parse reads an id as the commands of the tool name resources.
func Parse(id string) (Subject, error) {
	if kind := fleet.Kind(id); kind == fleet.KindSnapshotShare || kind == fleet.KindImageShare {
		return Subject{Kind: kind}, nil
	}
	prefix, rest, _ := strings.Cut(id, "-")
	if !fleet.ValidInstanceID("i-" + rest) {
		return Subject{}, errForm
	}
	switch prefix {
	case "i":
		return Subject{Kind: fleet.KindInstance, ID: id}, nil
	case "m":
		return Subject{Kind: fleet.KindImageShare, Resource: id}, nil
	case "s":
		return Subject{Kind: fleet.KindSnapshotShare, Resource: id}, nil
	}
	return Subject{}, errForm
}

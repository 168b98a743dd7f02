package ram

import (
	"errors"
	"regexp"

	"fleetwarden/deploy/local/simcloud/wire"
)

// RAM's error tables: EntityNotExist.* is 404, EntityAlreadyExists.*,
// DeleteConflict.* and LimitExceeded.* are 409, malformed input is 400.

func noRole(name string) *wire.Error {
	return wire.Errorf(404, "EntityNotExist.Role", "The role not exists : %s .", name)
}

func noPolicy(name string) *wire.Error {
	return wire.Errorf(404, "EntityNotExist.Policy", "The policy not exists: %s .", name)
}

func noVersion(id string) *wire.Error {
	return wire.Errorf(404, "EntityNotExist.Policy.Version", "The policy version not exists: %s .", id)
}

func taken(entity, name string) *wire.Error {
	// .Role and .Role.Policy follow the pattern of .Policy: assumed.
	return wire.Errorf(409, "EntityAlreadyExists."+entity, "The %s already exists: %s .", entity, name)
}

func limit(entity string, n int) *wire.Error {
	return wire.Errorf(409, "LimitExceeded."+entity, "The count of %s beyond the current limits: %d.", entity, n)
}

func conflict(what, text string) *wire.Error {
	return wire.Errorf(409, "DeleteConflict."+what, "%s", text)
}

func malformed(err error) *wire.Error {
	if errors.Is(err, errTooLong) {
		return wire.Errorf(400, "InvalidParameter.PolicyDocument.Length", "The size of policy document is beyond the current limits: %d.", maxDocument)
	}
	return wire.Errorf(400, "MalformedPolicyDocument", "The policy document is malformed: %v", err)
}

const maxDescription = 1024 // characters

var (
	roleName   = regexp.MustCompile(`^[A-Za-z0-9.-]{1,64}$`)
	policyName = regexp.MustCompile(`^[A-Za-z0-9-]{1,128}$`)
)

// checkRoleName: the code follows the pattern of PolicyName's: assumed.
func checkRoleName(name string) error {
	if !roleName.MatchString(name) {
		return wire.Errorf(400, "InvalidParameter.RoleName.InvalidChars", "The role name contains invalid chars or is too long.")
	}
	return nil
}

func checkPolicyName(name string) error {
	if !policyName.MatchString(name) {
		return wire.Errorf(400, "InvalidParameter.PolicyName.InvalidChars", "The policy name contains invalid chars or is too long.")
	}
	return nil
}

func checkKind(kind string) error {
	if kind != "System" && kind != "Custom" {
		return wire.Errorf(400, "InvalidParameter.PolicyType", "The policy type is neither System nor Custom.")
	}
	return nil
}

// checkSession: seconds; the code is assumed.
func checkSession(seconds int64) error {
	if seconds < 3600 || seconds > 43200 {
		return wire.Errorf(400, "InvalidParameter.MaxSessionDuration", "The max session duration must be 3600 to 43200 seconds.")
	}
	return nil
}

// checkDescription: the code is assumed.
func checkDescription(text string) error {
	if len([]rune(text)) > maxDescription {
		return wire.Errorf(400, "InvalidParameter.Description.Length", "The description is longer than %d characters.", maxDescription)
	}
	return nil
}

package resourcemanager

import "fleetwarden/deploy/local/simcloud/wire"

// Resource Management says EntityNotExists, with an s; RAM says EntityNotExist.

// notEnabled is 404 EntityNotExists.ResourceDirectory: error tables of all APIs
// but GetResourceDirectory.
func notEnabled() error {
	return wire.Errorf(404, "EntityNotExists.ResourceDirectory", "The resource directory for the account is not enabled.")
}

func noFolder() error {
	return wire.Errorf(404, "EntityNotExists.Folder", "The folder in the resource directory does not exist.")
}

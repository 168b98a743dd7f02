package rampolicy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fleetwarden/shared/fleet"
)

// Sharees are the accounts whose ECS may assume a share role, in the three forms of
// https://www.alibabacloud.com/help/en/ecs/user-guide/encryption-related-permissions.
type Sharees struct {
	// Accounts are named one by one.
	Accounts []fleet.AccountID
	// Directories are ids of whole resource directories: rd-…
	Directories []string
	// Folders are resource directory paths without the final *:
	// rd-…/r-…/fd-…; everything below is included.
	Folders []string
}

// Empty reports whether s names no account, directory or folder.
func (s Sharees) Empty() bool {
	return len(s.Accounts)+len(s.Directories)+len(s.Folders) == 0
}

// And returns the union of s and o, sorted, without duplicates.
func (s Sharees) And(o Sharees) Sharees {
	return Sharees{
		Accounts:    sorted(slices.Concat(s.Accounts, o.Accounts)),
		Directories: sorted(slices.Concat(s.Directories, o.Directories)),
		Folders:     sorted(slices.Concat(s.Folders, o.Folders)),
	}
}

// Without returns the elements of s that are not in o, sorted, without duplicates. It
// compares names: an account stays although o has its directory.
func (s Sharees) Without(o Sharees) Sharees {
	return Sharees{
		Accounts:    sorted(without(s.Accounts, o.Accounts)),
		Directories: sorted(without(s.Directories, o.Directories)),
		Folders:     sorted(without(s.Folders, o.Folders)),
	}
}

// check refuses values that must not get into a document: above all wildcards.
func (s Sharees) check() error {
	for _, account := range s.Accounts {
		if !account.Valid() {
			return fmt.Errorf("account %q is not a number", account)
		}
	}
	for _, directory := range s.Directories {
		if !isDirectory(directory) {
			return fmt.Errorf("%q is not the id of a resource directory", directory)
		}
	}
	for _, folder := range s.Folders {
		if !isFolder(folder) {
			return fmt.Errorf("%q is not the path of a folder", folder)
		}
	}
	return nil
}

// statements prints s: one statement for all accounts, one for each directory and folder.
// Checked values need no quoting.
func (s Sharees) statements() []string {
	var out []string
	if len(s.Accounts) > 0 {
		services := make([]string, len(s.Accounts))
		for i, account := range s.Accounts {
			services[i] = `"` + Service(string(account)) + `"`
		}
		out = append(out, allow("["+strings.Join(services, ",")+"]", ""))
	}
	for _, directory := range s.Directories {
		out = append(out, allow(`"`+anyECS+`"`, `,"Condition":{"StringEquals":{"`+OwnerDirectory+`":"`+directory+`"}}`))
	}
	for _, folder := range s.Folders {
		out = append(out, allow(`"`+anyECS+`"`, `,"Condition":{"StringLike":{"`+OwnerPath+`":"`+folder+`*"}}`))
	}
	return out
}

func allow(service, condition string) string {
	return `{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":` + service + `}` + condition + `}`
}

// sharees returns the statement's sharees if it has exactly one of the three forms.
func (s *statement) sharees() Sharees {
	plain := !s.deny && !s.notAction && s.strange == "" && len(s.actions) == 1 && s.actions[0] == assumeRole
	switch {
	case plain && len(s.conditions) == 0:
		return Sharees{Accounts: s.accounts()}
	case plain && len(s.conditions) == 1 && len(s.principals) == 1 && s.principals[0] == principal{service, anyECS}:
		return s.conditions[0].sharees()
	default:
		return Sharees{}
	}
}

// accounts returns the accounts named, or nil if there is any other principal.
func (s *statement) accounts() []fleet.AccountID {
	accounts := make([]fleet.AccountID, 0, len(s.principals))
	for _, p := range s.principals {
		uid, found := strings.CutSuffix(p.id, Service(""))
		account := fleet.AccountID(uid)
		if p.kind != service || !found || !account.Valid() {
			return nil
		}
		accounts = append(accounts, account)
	}
	return accounts
}

func (c condition) sharees() Sharees {
	if len(c.values) != 1 {
		return Sharees{}
	}
	folder, below := strings.CutSuffix(c.values[0], "*")
	switch {
	case c.operator == "StringEquals" && c.key == OwnerDirectory && isDirectory(c.values[0]):
		return Sharees{Directories: c.values}
	case c.operator == "StringLike" && c.key == OwnerPath && below && isFolder(folder):
		return Sharees{Folders: []string{folder}}
	default:
		return Sharees{}
	}
}

// isDirectory reports whether id is that of a resource directory.
func isDirectory(id string) bool { return isID(id, "rd-") }

// isFolder reports whether path is a ResourceDirectoryPath: the directory, the
// root folder, and any number of folders.
func isFolder(path string) bool {
	ids := strings.Split(path, "/")
	if len(ids) < 2 || !isDirectory(ids[0]) || !isID(ids[1], "r-") {
		return false
	}
	return !slices.ContainsFunc(ids[2:], func(id string) bool { return !isID(id, "fd-") })
}

// isID reports whether id is prefix and then letters and digits.
func isID(id, prefix string) bool {
	rest, found := strings.CutPrefix(id, prefix)
	return found && rest != "" && strings.Trim(rest, alphanumeric) == ""
}

// sorted returns a sorted copy of list without duplicates; nil if it is empty.
func sorted[T cmp.Ordered](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

func without[T comparable](list, out []T) []T {
	return slices.DeleteFunc(slices.Clone(list), func(v T) bool { return slices.Contains(out, v) })
}

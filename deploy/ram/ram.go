// Package ram holds the RAM policies of the functions' roles, as data: those that each has, those
// that an operator may grant (optional), and that of the role in other accounts (member).
// Terraform reads the same files. Nothing here evaluates them; no function but doctor links
// them.
package ram

import "embed"

// Files are the documents, by the names of their files.
//
//go:embed *.json optional/*.json member/policy.json
var Files embed.FS

// Package commands holds the scripts that Cloud Assistant runs on instances. Deployment
// makes commands of them; a function sends one itself only where the policy says
// run-command. They are data: nothing here runs them.
package commands

import "embed"

// Files are the scripts, by the names of their files.
//
//go:embed agent-linux.sh agent-windows.ps1
var Files embed.FS

// List is commands.json, which names the commands and has their settings.
//
//go:embed commands.json
var List []byte

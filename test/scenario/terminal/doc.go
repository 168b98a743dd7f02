// Package terminal holds stories of the functions as a person types them: the real
// binaries in a shell, beside a local cloud of their own. The commands that the
// scripts may use are listed in commands_test.go.
package terminal

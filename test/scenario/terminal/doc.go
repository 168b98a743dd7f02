// Package terminal holds stories of checks as a person types them: the operator's tool in a
// shell, beside a local cloud that has no functions. The commands that the scripts may use are
// listed in commands_test.go.
package terminal

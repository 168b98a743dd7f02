// Package scenario holds stories as txtar scripts: a world, what happens in it, and
// what must have become of it and been said about it. They run the real function
// binaries, deployed from s.yaml to a local cloud of their own, on virtual time, with
// the RAM policies of deploy/ram enforced. The commands that the scripts may use are
// listed in commands_test.go.
package scenario

// Package ecs is simcloud's Elastic Compute Service, version 2014-05-26:
// instances with their disks, images, launch templates and tags, the life cycle
// they go through in virtual time, and the events they raise on the way.
//
// Each API is a method of [Service] in a file named after it. What the vendor
// publishes is followed to the letter; what is nowhere published is said to be
// assumed, in a comment here and in simcloud's ASSUMPTIONS.md, and no product
// may rely on it. A launch is refused only for reasons the vendor documents:
// what is unwise but allowed, such as an ultra disk under a trusted instance,
// is launched, so that guardrails have something to find.
//
// Cloud Assistant belongs to this product, and lives here too: commands, their
// invocations, and how the inside of an instance answers them. Nothing is
// executed; what a script does to the world is said in script.go.
//
// Sharing, Security Center and RAM do not live here.
package ecs

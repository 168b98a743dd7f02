// Package manifest reads s.yaml as Serverless Devs 3 and its component fc3 do:
// edition 3.0.0, variables resolved, one function for each resource. Unlike fc3,
// which logs schema errors at debug level and deploys anyway, it refuses what
// Function Compute would not take, or would silently misread, with the line.
//
// It knows the properties and variable functions that this repository uses and
// reports all others as unknown. It runs nothing; that is deploy/local/fc.
//
// Facts: devsapp/fc3 src/schema.json, Serverless-Devs docs/zh/variables.md, and
// Function Compute's pages on limits and environment variables.
package manifest

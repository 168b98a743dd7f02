// Package stage sets the scene that the demo and the scenarios play on: a local
// cloud, the functions deployed to it from s.yaml, and the operator's side of it,
// played with the official SDKs: launching instances, letting virtual time pass, and
// reading what the functions wrote. It judges nothing: what is expected stands in
// the stories.
package stage

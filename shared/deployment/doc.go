// Package deployment describes a deployment, reads the existing one, and compares two. It
// covers the functions with their triggers, the rights of their roles, the event rules that
// fill the queues, and whether a trail logs. It changes nothing, and reads neither s.yaml
// nor Terraform: the deployer passes the wanted deployment in, and later checks take it
// from the ledger.
package deployment

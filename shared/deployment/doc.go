// Package deployment says what a deployment is made of, reads what stands of it, and
// compares the two. It knows Function Compute's functions with their triggers, the rights of
// their roles, and whether a trail logs; it changes nothing, and reads neither s.yaml nor
// Terraform: who deploys says what is wanted, and who looks later takes that from the ledger.
package deployment

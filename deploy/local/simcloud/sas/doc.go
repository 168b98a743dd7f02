// Package sas is simcloud's Security Center, version 2018-12-03, as far as the
// agent on ECS instances goes: which instances it knows, in which state each
// agent is, install codes and the one-click installation.
//
// An account has one Security Center for all of its regions, so it answers the
// same whatever region is asked. ECS notifies it of instances, late, and of
// what an installer does, which is judged here: a code that is
// unknown, expired, for another system or for images only never brings an agent
// online.
//
// Each API is a method of [Service] in a file named after it. Vulnerabilities,
// alerts and everything else that Security Center does are not part of this
// cloud.
package sas

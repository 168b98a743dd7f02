// Package sas is simcloud's Security Center, version 2018-12-03, as far as the
// agent on ECS instances goes: which instances it knows, in which state each
// agent is, install codes and the one-click installation.
//
// An account has one Security Center for all of its regions, so it answers the
// same whatever region is asked. It hears of instances from ECS, late; what an
// installer does is told by ECS as well, and judged here: a code that is
// unknown, expired, for another system or for images only never brings an agent
// online.
//
// Each API is a method of [Service] in a file named after it. Vulnerabilities,
// alerts and everything else that Security Center does are not part of this
// cloud.
package sas

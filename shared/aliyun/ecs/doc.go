// Package ecs reads and writes ECS (2014-05-26) in fleet values, each API at its
// documented batch size. It decides nothing.
package ecs

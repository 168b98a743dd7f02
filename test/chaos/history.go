package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/server"
)

// History is one world and what happens in it. Steps name groups of instances and shares,
// no ids, so that the others keep their meaning when one is taken out.
type History struct {
	Seed  uint64 `json:"seed"`
	World World  `json:"world"`
	Steps []Step `json:"steps"`
}

// World is what the policy says, and what stands there before.
type World struct {
	Mode         string   `json:"mode"`         // of all controls: audit or enforce
	Conflict     string   `json:"conflict"`     // report, grant or replace
	AttachAfter  Duration `json:"attachAfter"`  //
	Consequence  string   `json:"consequence"`  // none, tag or stop
	Grace        Duration `json:"grace"`        // of the consequence
	TakeBack     string   `json:"takeBack"`     // report or enforce
	PerPass      int      `json:"perPass"`      //
	PerHour      int      `json:"perHour"`      //
	MaxChanges   int      `json:"maxChanges"`   //
	MaxPercent   int      `json:"maxPercent"`   //
	PercentAbove int      `json:"percentAbove"` //
	Budget       int      `json:"budget"`       // calls of an API in an invocation
	Push         string   `json:"push"`         // commands, run-command or one-click
	Findings     bool     `json:"findings"`     // findings go to a queue, too
	Include      bool     `json:"include"`      // the scope is spelt out by region; no owner is named
	Regions      []string `json:"regions"`      // guarded; home first
	// Members are other accounts of the policy, which send their events; with Directory, it
	// names a role for the resource directory in place of them.
	Members   []string `json:"members,omitempty"`
	Directory bool     `json:"directory,omitempty"`
	// Approve says how sharees are approved: by account if empty, else the whole directory.
	Approve string `json:"approve,omitempty"`
	// Wide lets the role of members do everything, and the members' own people assume it.
	Wide bool `json:"wide,omitempty"`
	// Propagation is how long ECS does not see a fresh role.
	Propagation Duration `json:"propagation"`
	// ForeignRole puts a share role that another team made into the last account, with trust
	// of its own.
	ForeignRole bool `json:"foreignRole,omitempty"`
	// ForeignPolicy puts a policy into the last account that has the name of ours, and allows
	// everything.
	ForeignPolicy bool `json:"foreignPolicy,omitempty"`
	// Versioning are the states that the ledger's bucket went through; none is right.
	Versioning []string `json:"versioning,omitempty"`
	// Nights is how many sweeps there are after the last step.
	Nights int `json:"nights"`
	// Late lets one more night pass before the faults end.
	Late bool `json:"late"`
}

// Do is what a step does.
type Do string

// The kinds of steps.
const (
	Launch  Do = "launch"  // Kind, N, Role, Disk, Tag, Account, By, Region; the group is Group
	Seed    Do = "seed"    // as launch, without events; Agent, Assistant
	Stop    Do = "stop"    // the instances of Group
	Start   Do = "start"   //
	Release Do = "release" //
	Detach  Do = "detach"  // a user takes the role from N instances of Group
	Attach  Do = "attach"  // a user attaches Role to N instances of Group
	Strip   Do = "strip"   // a user takes the policies from the systrust role of Account
	Agent   Do = "agent"   // the agents of N instances of Group become Agent
	Share   Do = "share"   // Kind image or snapshot, of Account, with account With; the share is Group
	Unshare Do = "unshare" //
	Ask     Do = "ask"     // all shares are asked for again, as by a person whom the first time was refused
	Pass    Do = "pass"    // For
	Night   Do = "night"   // time passes until the sweep's timer has gone off
	Beside  Do = "beside"  // the sweep's timer goes off now
	Faults  Do = "faults"  // Faults and Events until the next step of this kind
	Kill    Do = "kill"    // Function dies at its Call-th call from now, at its Writes-th write, or at its next call of Action; backfill is the operator's tool, whose command is typed again; Interrupt: by Ctrl-C
	Jump    Do = "jump"    // the cloud's time leaps by For when Function is about to make its Call-th call from now, or its Writes-th write
	Long    Do = "long"    // passes of Function last For
	Forge   Do = "forge"   // a message for Function about the instances of Group, said to be old
	Plan    Do = "plan"    // an operator plans control Kind for Account and applies it; Undone: and undoes it
	Again   Do = "again"   // a message has attach-role look at Group, always in the same run
	Undo    Do = "undo"    // an operator undoes the run that changed one instance most often
	Draft   Do = "draft"   // an operator plans control Kind for Account
	Apply   Do = "apply"   // an operator applies the last plan; Undone: and undoes it
	DryRun  Do = "dry-run" // an operator plans, and applies with --dry-run
	Redrive Do = "redrive" // an operator redrives the dead letters
	Race    Do = "race"    // a user gives an instance a role right before attach-role does
	Garbage Do = "garbage" // a message for Function that is no message (text), or of a version to come (newer)
	Claim   Do = "claim"   // a launch record that says too much of the instances of Group
	Tokens  Do = "tokens"  // a user has N instances of Group take metadata with tokens only, or (Kind optional) without
	Dry     Do = "dry"     // an operator sweeps by hand, which changes nothing
	Narrow  Do = "narrow"  // a policy is deployed that guards the home region alone
)

// Step is one thing that happens. Which fields matter depends on Do.
type Step struct {
	Do        Do                   `json:"do"`
	Group     string               `json:"group,omitempty"`
	Account   string               `json:"account,omitempty"` // home if empty
	By        string               `json:"by,omitempty"`      // role:session that launches; a user if empty
	Kind      string               `json:"kind,omitempty"`
	N         int                  `json:"n,omitempty"`
	Role      string               `json:"role,omitempty"`
	Disk      string               `json:"disk,omitempty"`
	Tag       string               `json:"tag,omitempty"`
	Region    string               `json:"region,omitempty"`
	Agent     string               `json:"agent,omitempty"`
	Assistant string               `json:"assistant,omitempty"`
	With      string               `json:"with,omitempty"`
	For       Duration             `json:"for,omitzero"`
	Function  string               `json:"function,omitempty"`
	Call      int                  `json:"call,omitempty"`
	Writes    int                  `json:"writes,omitempty"`
	Action    string               `json:"action,omitempty"`
	After     bool                 `json:"after,omitempty"`
	Undone    bool                 `json:"undone,omitempty"`
	Interrupt bool                 `json:"interrupt,omitempty"`
	Faults    []simcloud.Fault     `json:"faults,omitempty"`
	Events    simcloud.EventFaults `json:"events,omitzero"`
}

// account is the one that the step is about.
func (s Step) account() string { return cmp.Or(s.Account, server.Sharer) }

// String is the step as JSON.
func (s Step) String() string { return inJSON(s) }

func inJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// idle are the functions that have nothing to do in it: without shares, the timer of
// watch-shares would only cost time.
func (h History) idle() []string {
	if slices.ContainsFunc(h.Steps, func(s Step) bool { return s.Do == Share || s.Function == "watch-shares" }) {
		return nil
	}
	return []string{"watch-shares"}
}

// print writes the world and the steps, a line each.
func (h History) print(w io.Writer) {
	fmt.Fprintf(w, "  %s\n", inJSON(h.World))
	for _, s := range h.Steps {
		fmt.Fprintf(w, "  %s\n", s)
	}
}

// Duration is written as a person would.
type Duration time.Duration

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("reading a duration of a history: %w", err)
	}
	*d = Duration(v)
	return nil
}

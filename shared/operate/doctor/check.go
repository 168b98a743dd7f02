package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"fleetwarden/shared/fleet"
)

// Check is one question about a deployment.
type Check struct {
	ID, Category string
	// Description is what is so if all is well.
	Description string
	// Why is what happens otherwise.
	Why string

	ask func(ctx context.Context, x *examination) answer
}

// answer is what a check found. Says is for the case that there is no problem, seen for each.
type answer struct {
	says, seen string
	problems   []Problem
}

func (a *answer) add(p ...Problem) { a.problems = append(a.problems, p...) }

// turn is when a check asks. What asks about each account, each change or each function of the
// account, or searches logs, comes after the others, so that it takes no time from them.
func (c Check) turn() int {
	switch c.ID {
	case "pauses", "members":
		return 1
	case "last-pass":
		return 2
	case "instances-left":
		return 3
	}
	return 0
}

const turns = 4

// Limit is the longest that an examination takes, unless its caller has more time. What was not
// read by then is unread.
const Limit = 10 * time.Second

// abreast is how many questions are asked at the same time: few enough for the quotas of the
// APIs, which are the account's.
const abreast = 12

// Categories are those of the checks, in their order.
func Categories() (out []string) {
	for _, c := range Checks() {
		if !slices.Contains(out, c.Category) {
			out = append(out, c.Category)
		}
	}
	return out
}

// Examine makes the checks of some categories, of all if none is named. While the account is
// unknown, nothing else is asked.
func Examine(ctx context.Context, r Reads, categories ...string) Page {
	ctx, stop := context.WithTimeout(ctx, cmp.Or(r.Limit, Limit))
	defer stop()
	x := &examination{Reads: r, slots: make(chan struct{}, abreast)}
	began := time.Now()
	var chosen []Check
	for _, c := range Checks() {
		if len(categories) == 0 || slices.Contains(categories, c.Category) {
			chosen = append(chosen, c)
		}
	}
	first, broken := x.meet(ctx)
	var said []string // whichever category was chosen
	if broken != nil {
		said = append(said, first)
	}
	if x.Settings != nil {
		said = append(said, settingsCheck)
	}
	for _, id := range said {
		if !slices.ContainsFunc(chosen, func(c Check) bool { return c.ID == id }) {
			chosen = slices.Insert(chosen, 0, checkOf(id))
		}
	}
	answers := make([]answer, len(chosen))
	if broken != nil {
		for i, c := range chosen {
			switch c.ID {
			case first:
				answers[i] = *broken
			case settingsCheck: // needs no account
				answers[i] = c.ask(ctx, x)
			default:
				answers[i] = answer{problems: one(Problem{Result: Unread, Says: "not asked: that comes after " + first, Mend: "see " + first})}
			}
		}
	} else {
		for turn := range turns {
			var all sync.WaitGroup
			for i, c := range chosen {
				if c.turn() == turn {
					all.Go(func() { answers[i] = c.ask(ctx, x) })
				}
			}
			all.Wait()
		}
	}
	p := Page{Type: "doctor", Success: true, Account: x.account, Home: r.Home, At: r.now(), DurationMS: time.Since(began).Milliseconds(), Calls: r.calls()}
	if broken == nil {
		newest, _ := x.newest(ctx)
		p.Build = newest.Build
	}
	for i, c := range chosen {
		if n := len(p.Categories); n == 0 || p.Categories[n-1].Name != c.Category {
			p.Categories = append(p.Categories, Category{Name: c.Category})
		}
		result := concluded(c, answers[i])
		at := &p.Categories[len(p.Categories)-1]
		at.Checks = append(at.Checks, result)
		p.Success = p.Success && result.Result.rank() < Unread.rank()
	}
	return p
}

// Regions are those with a deployment, as its records say, and home. With an error there may
// be others.
func Regions(ctx context.Context, r Reads) ([]fleet.Region, error) {
	return (&examination{Reads: r, slots: make(chan struct{}, abreast)}).regions(ctx)
}

// examination is one examination; what several checks ask for is read once.
type examination struct {
	Reads
	account fleet.AccountID
	slots   chan struct{}

	facts
}

// read asks one question, at most [abreast] at the same time. It waits for no answer beyond the
// end of ctx: the client of MNS has no context, and answers after its own time-out of seconds.
func read[T any](ctx context.Context, x *examination, ask func(context.Context) (T, error)) (out T, err error) {
	type result struct {
		value T
		err   error
	}
	answered := make(chan result, 1)
	select {
	case x.slots <- struct{}{}:
		go func() {
			defer func() { <-x.slots }()
			value, err := ask(ctx)
			answered <- result{value, err}
		}()
	case <-ctx.Done():
		return out, fleet.WithClass(fleet.Canceled, ctx.Err())
	}
	select {
	case r := <-answered:
		return r.value, r.err
	case <-ctx.Done():
		return out, fleet.WithClass(fleet.Canceled, ctx.Err())
	}
}

// each asks about several resources side by side, and returns the problems in their order.
func each[T any](items []T, ask func(T) []Problem) (out []Problem) {
	found := make([][]Problem, len(items))
	var all sync.WaitGroup
	for i, item := range items {
		all.Go(func() { found[i] = ask(item) })
	}
	all.Wait()
	return slices.Concat(found...)
}

// numbers are those of n items.
func numbers(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// one is the list of a problem that is no list.
func one(p Problem) []Problem { return []Problem{p} }

// actionOf are the RAM actions whose names differ from those of the APIs.
var actionOf = map[string]string{
	"fc:GetAsyncInvokeConfig": "fc:GetFunctionAsyncInvokeConfig", "sas:DescribeVersionConfig": "yundun-sas:DescribeVersionConfig",
	"sas:DescribeCloudCenterInstances": "yundun-sas:DescribeCloudCenterInstances", "mns:BatchPeekMessage": "mns:PeekMessage",
	"mns-open:GetQueueAttributes": "mns:GetQueueAttributes",
	"sls:GetLogs":                 "log:GetLogStoreLogs",
}

// unread is the problem of what could not be read. What is about the call comes from its
// error; a refusal names the action that is missing.
func unread(what string, region fleet.Region, id string, err error) Problem {
	p := Problem{Result: Unread, Region: region, ID: id, Says: fmt.Sprintf("%s could not be read: %s", what, short(err)), Mend: "run it again"}
	if errors.Is(err, errNoLedger) {
		p.Mend = "see ledger"
		return p
	}
	if !fleet.ClassOf(err).Passing() {
		p.Mend = "the same call would fail again: see the message, and the guide"
	}
	api, _, _ := strings.Cut(apiOf(err), " ")
	if action, ok := actionOf[api]; ok {
		api = action
	}
	switch fleet.ClassOf(err) {
	case fleet.Denied:
		p.Mend = "allow " + api + " to the caller; deploy/ram/doctor.json has all that is read"
		if api == "" {
			p.Mend = "check the credentials and their rights; deploy/ram/doctor.json has all that is read"
		}
	case fleet.Unavailable:
		p.Mend = "check the network, and run it again"
	case fleet.Canceled:
		p.Says = what + " was not read in time"
		p.Mend = "run it again, with --category for a part of it"
	case fleet.Absent:
		p.Mend = "see products-served"
	}
	return p
}

// unreadOf is one problem of many reads of which some have failed: how many, and why the first.
func unreadOf(what string, region fleet.Region, id string, errs []error) []Problem {
	failed := slices.DeleteFunc(slices.Clone(errs), func(err error) bool { return err == nil })
	if len(failed) == 0 {
		return nil
	}
	p := unread(what, region, id, failed[0])
	p.Says += fmt.Sprintf("; %d of %d were read", len(errs)-len(failed), len(errs))
	return one(p)
}

// apiOf is the API of an error, product:Action; empty if it has none.
func apiOf(err error) string {
	var e interface{ Called() string }
	if errors.As(err, &e) {
		return e.Called()
	}
	return ""
}

// short is an error in one line.
func short(err error) string {
	var lines []string
	for line := range strings.Lines(err.Error()) {
		lines = append(lines, strings.TrimSpace(line))
	}
	return strings.ReplaceAll(strings.Join(lines, "; "), ":; ", ": ")
}

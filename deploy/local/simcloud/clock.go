package simcloud

import (
	"cmp"
	"container/heap"
	"context"
	"sync"
	"time"
)

// Clock is the cloud's virtual time. All that the cloud says or schedules goes
// by it: Date headers, event times, life cycles, RAM's propagation, quotas,
// message delays, timers. Signatures and process timeouts go by real time.
//
// Time moves only in [Clock.Advance], [Clock.Quiet] and [Clock.Follow], only
// while no work is under way, and then jumps to the next due item; and in [Clock.Leap]. Work
// is whatever holds a token from [Clock.Begin]: an API request, an invocation, an event on
// its way.
type Clock struct {
	mu    sync.Mutex
	idle  *sync.Cond
	now   time.Time
	due   Heap[*dueItem]
	seq   uint64
	work  int
	front int // due items that are not in the background
	drive sync.Mutex
}

// NewClock returns a clock that stands at start.
func NewClock(start time.Time) *Clock {
	c := &Clock{now: start.UTC()}
	c.idle = sync.NewCond(&c.mu)
	return c
}

// Now is the virtual time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Timer is a due item that can be stopped.
type Timer struct {
	c    *Clock
	item *dueItem
}

// Stop takes the item off the clock. It reports whether the item had not run.
func (t *Timer) Stop() bool {
	t.c.mu.Lock()
	defer t.c.mu.Unlock()
	if t.item.index < 0 {
		return false
	}
	t.c.remove(t.item)
	return true
}

// After runs f once, d from now, on the goroutine that moves the time. While
// the item waits, the world is not quiet. f holds a work token; what it starts
// takes its own.
func (c *Clock) After(d time.Duration, f func()) *Timer { return c.add(d, f, false) }

// Background is After for what repeats or merely expires, such as a cron timer:
// it runs when its time comes, but does not keep the world from being quiet.
func (c *Clock) Background(d time.Duration, f func()) *Timer { return c.add(d, f, true) }

func (c *Clock) add(d time.Duration, f func(), background bool) *Timer {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seq++
	it := &dueItem{at: c.now.Add(max(d, 0)), seq: c.seq, run: f, background: background}
	heap.Push(&c.due, it)
	if !background {
		c.front++
	}
	return &Timer{c, it}
}

func (c *Clock) remove(it *dueItem) {
	heap.Remove(&c.due, it.index)
	if !it.background {
		c.front--
	}
}

// Begin announces work; time stands still until done is called. done
// may be called more than once.
func (c *Clock) Begin() (done func()) {
	c.mu.Lock()
	c.work++
	c.mu.Unlock()
	var once sync.Once
	return func() {
		once.Do(func() {
			c.mu.Lock()
			c.work--
			if c.work == 0 {
				c.idle.Broadcast()
			}
			c.mu.Unlock()
		})
	}
}

// Advance moves the time by d, running all that falls due on the way, and
// returns when no work is under way any more. It returns early when ctx ends.
func (c *Clock) Advance(ctx context.Context, d time.Duration) error {
	c.drive.Lock()
	defer c.drive.Unlock()
	end := c.Now().Add(d)
	for {
		ran, err := c.step(ctx, end, true)
		if err != nil {
			return err
		}
		if !ran {
			break
		}
	}
	c.mu.Lock()
	if c.now.Before(end) {
		c.now = end
	}
	c.mu.Unlock()
	return nil
}

// Quiet moves the time until no work is under way and nothing but background items is
// due, or until d has passed. It reports whether the world is quiet.
func (c *Clock) Quiet(ctx context.Context, d time.Duration) (bool, error) {
	c.drive.Lock()
	defer c.drive.Unlock()
	end := c.Now().Add(d)
	for {
		ran, err := c.step(ctx, end, false)
		if err != nil {
			return false, err
		}
		if !ran {
			break
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.front == 0 && c.work == 0, nil
}

// Follow moves the time along with real time, rate times as fast, until ctx
// ends. Work that is under way does not hold it up.
func (c *Clock) Follow(ctx context.Context, rate float64) {
	const tick = 20 * time.Millisecond
	t := time.NewTicker(tick)
	defer t.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			c.drive.Lock()
			end := c.Now().Add(time.Duration(float64(now.Sub(last)) * rate))
			last = now
			for c.runNext(end, true) {
			}
			c.mu.Lock()
			if c.now.Before(end) {
				c.now = end
			}
			c.mu.Unlock()
			c.drive.Unlock()
		}
	}
}

// Leap moves the time by d at once, whatever work is under way: between two calls of a process that is
// frozen, say. What falls due on the way runs late, as soon as the time moves on.
func (c *Clock) Leap(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(max(d, 0))
}

// step waits until no work is under way, then runs the next item due by end. Without
// background it stops at the point where only background items are left.
func (c *Clock) step(ctx context.Context, end time.Time, background bool) (bool, error) {
	if err := c.waitIdle(ctx); err != nil {
		return false, err
	}
	return c.runNext(end, background), nil
}

func (c *Clock) runNext(end time.Time, background bool) bool {
	c.mu.Lock()
	if len(c.due) == 0 || c.due[0].at.After(end) || (!background && c.front == 0) {
		c.mu.Unlock()
		return false
	}
	it := c.due[0]
	c.remove(it)
	if it.at.After(c.now) {
		c.now = it.at
	}
	c.mu.Unlock()
	done := c.Begin()
	defer done()
	it.run()
	return true
}

func (c *Clock) waitIdle(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		c.mu.Lock()
		c.idle.Broadcast()
		c.mu.Unlock()
	})
	defer stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.work > 0 && ctx.Err() == nil {
		c.idle.Wait()
	}
	return ctx.Err()
}

type dueItem struct {
	at         time.Time
	seq        uint64
	run        func()
	background bool
	index      int
}

// Before implements [Placed].
func (it *dueItem) Before(o *dueItem) bool {
	return cmp.Or(it.at.Compare(o.at), cmp.Compare(it.seq, o.seq)) < 0
}

// Place implements [Placed].
func (it *dueItem) Place(index int) { it.index = index }

package stack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"fleetwarden/deploy/local/fc"
	"fleetwarden/deploy/local/fcapi"
	"fleetwarden/deploy/local/manifest"
	"fleetwarden/deploy/local/simcloud/server"
)

// plugs connect triggers to functions, one plug a function: once pulled, its timers and
// streams bring nothing more.
type plugs struct {
	mu  sync.Mutex
	all map[string]*atomic.Bool
}

// of is the function's plug.
func (p *plugs) of(f fc.Function) *atomic.Bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil {
		p.all = map[string]*atomic.Bool{}
	}
	if p.all[f.ARN()] == nil {
		p.all[f.ARN()] = new(atomic.Bool)
	}
	return p.all[f.ARN()]
}

func (p *plugs) pull(f fc.Function) {
	p.of(f).Store(true)
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.all, f.ARN())
}

// ruleOf is the name of the rule of a trigger on the default bus.
func ruleOf(f fc.Function, t manifest.Trigger) string { return f.Name + "-" + t.Name }

// controlPlane is Function Compute's API over this stack.
func (s *Stack) controlPlane() (*fcapi.API, error) {
	dir := filepath.Join(s.temp, "code")
	p := &platform{s: s, live: map[string]fcapi.Deployment{}}
	s.platform = p
	return fcapi.New(fcapi.Options{World: s.o.Server.World, Platform: p, RAM: s.o.Server.RAM, Dir: dir, Downloads: s.o.Server.URL() + server.Code}), os.Mkdir(dir, 0o700)
}

// platform runs what the API describes. A function of another runtime than go1 is kept
// and shown, and not run.
type platform struct {
	s    *Stack
	mu   sync.Mutex
	live map[string]fcapi.Deployment // by ARN
}

// Apply implements fcapi.Platform.
func (p *platform) Apply(d fcapi.Deployment) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d.Account != server.Sharer {
		return fmt.Errorf("functions of account %s are not run here", d.Account)
	}
	arn := d.Function.FunctionArn
	old, had := p.live[arn]
	err := p.connect(old, d)
	if err == nil {
		p.live[arn] = d
		return nil
	}
	if had {
		return errors.Join(err, p.connect(d, old))
	}
	p.end(d)
	return err
}

// connect has next run in the place of before.
func (p *platform) connect(before, next fcapi.Deployment) error {
	props, err := propsOf(next)
	if err != nil {
		return err
	}
	p.disconnect(before)
	if !runs(next) {
		p.s.runtime.Remove(next.Region, next.Function.FunctionName)
		return nil
	}
	f, err := p.function(next, props)
	if err != nil {
		return err
	}
	if err := p.s.runtime.Replace(f); err != nil {
		return err
	}
	for _, t := range props.Triggers {
		if err := p.s.trigger(f, t); err != nil {
			return fmt.Errorf("trigger %s: %w", t.Name, err)
		}
	}
	return nil
}

func runs(d fcapi.Deployment) bool { return *d.Function.Runtime == "go1" }

// disconnect ends the triggers of a function.
func (p *platform) disconnect(d fcapi.Deployment) {
	f := fc.Function{Account: d.Account, Region: d.Region, Name: d.Function.FunctionName}
	p.s.plugs.pull(f)
	for _, t := range d.Triggers {
		p.s.o.Server.EventBridge.Remove(d.Account, d.Region, ruleOf(f, manifest.Trigger{Name: t.TriggerName}))
	}
}

// function is what the runtime runs. Code that came as a zip finds its policy as it does
// in the cloud; what this stack has built uses the stack's.
func (p *platform) function(d fcapi.Deployment, props manifest.Function) (fc.Function, error) {
	short := cmp.Or(p.s.short[props.FunctionName], props.FunctionName)
	f, err := p.s.function(short, props)
	if err != nil {
		return f, err
	}
	f.Reserved = d.Reserved // 0 is no limit in a manifest
	if d.Code != "" {
		f.Code = d.Code
		delete(f.Env, policyVariable)
		if v, ok := props.EnvironmentVariables[policyVariable]; ok {
			f.Env[policyVariable] = v
		}
	}
	if r := d.Function.InvocationRestriction; r != nil {
		f.Disabled = r.Disable
	}
	return f, nil
}

// Withdraw implements fcapi.Platform.
func (p *platform) Withdraw(region, name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	arn := (&fc.Function{Account: server.Sharer, Region: region, Name: name}).ARN()
	if d, ok := p.live[arn]; ok {
		p.end(d)
		delete(p.live, arn)
	}
}

func (p *platform) end(d fcapi.Deployment) {
	p.disconnect(d)
	p.s.runtime.Remove(d.Region, d.Function.FunctionName)
}

// Invoke implements fcapi.Platform.
func (p *platform) Invoke(ctx context.Context, region, name string, payload []byte) (fc.Result, error) {
	if err := p.runnable(region, name); err != nil {
		return fc.Result{}, err
	}
	return p.s.runtime.Invoke(ctx, region, name, fc.Cause{Trigger: "invoke", Payload: payload})
}

// InvokeAsync implements fcapi.Platform.
func (p *platform) InvokeAsync(region, name string, payload []byte) error {
	if err := p.runnable(region, name); err != nil {
		return err
	}
	return p.s.runtime.InvokeAsync(region, name, fc.Cause{Trigger: "invoke", Payload: payload})
}

func (p *platform) runnable(region, name string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	d, ok := p.live[(&fc.Function{Account: server.Sharer, Region: region, Name: name}).ARN()]
	if ok && !runs(d) {
		return fmt.Errorf("the local cloud runs functions of runtime go1 alone, and %s has %s", name, *d.Function.Runtime)
	}
	return nil
}

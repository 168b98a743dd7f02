package fcapi

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"

	"fleetwarden/deploy/local/simcloud/wire"
)

// ListTriggersRequest are the parameters of ListTriggers.
type ListTriggersRequest struct {
	FunctionRequest
	Prefix    string `param:"prefix"`
	Limit     int    `param:"limit"`
	NextToken string `param:"nextToken"`
}

// ListTriggersResponse is a page of triggers.
type ListTriggersResponse struct {
	NextToken string    `json:"nextToken,omitempty"`
	Triggers  []Trigger `json:"triggers"`
}

// ListTriggers lists the triggers of a function by name.
func (a *API) ListTriggers(c *wire.Call, in *ListTriggersRequest) (*ListTriggersResponse, error) {
	f, err := a.find(c, in.FunctionName)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, t := range f.Triggers {
		names = append(names, t.TriggerName)
	}
	names, next, err := page(names, in.Prefix, in.NextToken, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &ListTriggersResponse{Triggers: []Trigger{}, NextToken: next}
	for _, n := range names {
		out.Triggers = append(out.Triggers, f.Triggers[f.trigger(n)])
	}
	return out, nil
}

// trigger is the place of a trigger; -1 without one.
func (f *function) trigger(name string) int {
	return slices.IndexFunc(f.Triggers, func(t Trigger) bool { return t.TriggerName == name })
}

// TriggerRequest names a trigger.
type TriggerRequest struct {
	FunctionRequest
	TriggerName string `param:"triggerName"`
}

// findTrigger is find for a trigger. The caller holds the mutex.
func (a *API) findTrigger(c *wire.Call, in TriggerRequest) (*function, int, error) {
	f, err := a.find(c, in.FunctionName)
	if err != nil {
		return nil, 0, err
	}
	at := f.trigger(in.TriggerName)
	if at < 0 {
		return nil, 0, wire.Errorf(http.StatusNotFound, "TriggerNotFound", "trigger '%s' does not exist in function '%s'", in.TriggerName, in.FunctionName)
	}
	return f, at, nil
}

// GetTrigger shows one trigger.
func (a *API) GetTrigger(c *wire.Call, in *TriggerRequest) (*Trigger, error) {
	f, at, err := a.findTrigger(c, *in)
	if err != nil {
		return nil, err
	}
	out := f.Triggers[at]
	return &out, nil
}

// CreateTriggerRequest is the request of CreateTrigger.
type CreateTriggerRequest struct {
	FunctionRequest
	Body *TriggerInput
}

// CreateTrigger makes a trigger and connects it.
func (a *API) CreateTrigger(c *wire.Call, in *CreateTriggerRequest) (*Trigger, error) {
	t, err := in.Body.trigger()
	if err != nil {
		return nil, err
	}
	f, err := a.find(c, in.FunctionName)
	if err != nil {
		return nil, err
	}
	if f.trigger(t.TriggerName) >= 0 {
		return nil, wire.Errorf(http.StatusConflict, "TriggerAlreadyExists", "trigger '%s' already exists in function '%s'", t.TriggerName, in.FunctionName)
	}
	t.CreatedTime, t.LastModifiedTime = a.now(), a.now()
	t = a.complete(f, t)
	changed := *f
	changed.Triggers = append(slices.Clone(f.Triggers), t)
	return &t, a.apply(changed)
}

// trigger reads what is to be made.
func (in *TriggerInput) trigger() (Trigger, error) {
	t := Trigger{
		TriggerName: text(in.TriggerName), TriggerType: text(in.TriggerType), TriggerConfig: text(in.TriggerConfig),
		Description: text(in.Description), InvocationRole: text(in.InvocationRole), Qualifier: text(in.Qualifier), SourceArn: text(in.SourceArn),
	}
	if !validName.MatchString(t.TriggerName) || t.TriggerType == "" {
		return t, invalid("triggerName or triggerType is missing or malformed")
	}
	return t, t.check()
}

func (t *Trigger) check() error {
	if !json.Valid([]byte(t.TriggerConfig)) {
		return invalid("triggerConfig is not JSON, written as a string")
	}
	return onlyLatest(t.Qualifier)
}

func text(p *string) string { return wire.Given(p, "") }

// complete sets what the service says of a trigger. The caller holds the mutex.
func (a *API) complete(f *function, t Trigger) Trigger {
	t.Qualifier = cmp.Or(t.Qualifier, latest)
	t.TargetArn, t.TriggerID = f.Function.FunctionArn, a.id()
	return t
}

// UpdateTriggerRequest is the request of UpdateTrigger.
type UpdateTriggerRequest struct {
	TriggerRequest
	Body *TriggerUpdate
}

// UpdateTrigger changes what it is given.
func (a *API) UpdateTrigger(c *wire.Call, in *UpdateTriggerRequest) (*Trigger, error) {
	f, at, err := a.findTrigger(c, in.TriggerRequest)
	if err != nil {
		return nil, err
	}
	t := f.Triggers[at]
	t.Description, t.InvocationRole = wire.Given(in.Body.Description, t.Description), wire.Given(in.Body.InvocationRole, t.InvocationRole)
	t.Qualifier, t.TriggerConfig = wire.Given(in.Body.Qualifier, t.Qualifier), wire.Given(in.Body.TriggerConfig, t.TriggerConfig)
	if err := t.check(); err != nil {
		return nil, err
	}
	t.LastModifiedTime = a.now()
	changed := *f
	changed.Triggers = slices.Clone(f.Triggers)
	changed.Triggers[at] = t
	return &t, a.apply(changed)
}

// DeleteTrigger ends a trigger.
func (a *API) DeleteTrigger(c *wire.Call, in *TriggerRequest) (*wire.Raw, error) {
	f, at, err := a.findTrigger(c, *in)
	if err != nil {
		return nil, err
	}
	changed := *f
	changed.Triggers = slices.Delete(slices.Clone(f.Triggers), at, at+1)
	return wire.NoContent(), a.apply(changed)
}

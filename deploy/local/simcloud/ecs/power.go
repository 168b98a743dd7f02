package ecs

import "fleetwarden/deploy/local/simcloud/wire"

// PowerResults is the answer of StartInstances and StopInstances.
type PowerResults struct {
	InstanceResponses struct{ InstanceResponse []PowerResult }
}

// PowerResult is what became of one instance. Code is 200 for success.
type PowerResult struct{ InstanceId, Code, Message, PreviousStatus, CurrentStatus string }

// power is one way to change what an instance does: what must hold before, and
// the change. The caller holds the mutex.
type power struct {
	check func(*instance) error
	apply func(*space, *instance)
}

// one applies a power to one instance that may be in any region.
func (s *Service) one(c *wire.Call, id string, onlyTry bool, p power) error {
	if err := allow(c, id); err != nil {
		return err
	}
	sp, i, err := s.instance(c, id)
	if err != nil {
		return err
	}
	if err := p.check(i); err != nil {
		return err
	}
	if onlyTry {
		return dryRun()
	}
	p.apply(sp, i)
	c.Refer("ACS::ECS::Instance", id)
	return nil
}

// batch is a power for up to 100 instances.
type batch struct {
	ids          []string
	optimization string // AllTogether (default) or SuccessFirst
	dryRun       bool
}

// many applies a power to a batch. AllTogether: if one instance is unfit, none
// is changed and the call fails. SuccessFirst: each for itself, and a dry run
// always passes.
func (s *Service) many(c *wire.Call, b batch, p power) (*PowerResults, error) {
	if !oneOf(b.optimization, "AllTogether", "SuccessFirst") {
		return nil, invalid("InvalidParameter.BatchOptimization", "The specified BatchOptimization is not valid: %s.", b.optimization)
	}
	b.ids = unique(b.ids)
	if err := allow(c, b.ids...); err != nil {
		return nil, err
	}
	ins, errs, err := s.fit(c, b, p)
	switch {
	case b.dryRun && (err == nil || b.optimization == "SuccessFirst"):
		return nil, dryRunBatch()
	case err != nil && b.optimization != "SuccessFirst":
		return nil, err
	}
	c.Refer("ACS::ECS::Instance", b.ids...)
	out := &PowerResults{}
	for n, id := range b.ids {
		r := PowerResult{InstanceId: id, Code: "200", Message: "success"}
		if errs[n] != nil {
			e := wire.AsError(errs[n])
			r.Code, r.Message = e.Code, e.Message
		}
		if i := ins[n]; i != nil {
			r.PreviousStatus = i.status.String()
			if errs[n] == nil {
				p.apply(s.spaces[where{c.Caller.Account, c.Region}], i)
			}
			r.CurrentStatus = i.status.String()
		}
		out.InstanceResponses.InstanceResponse = append(out.InstanceResponses.InstanceResponse, r)
	}
	return out, nil
}

// fit looks the batch up: each instance or nil, each reason not to go on, and
// the first of those. The caller holds the mutex.
func (s *Service) fit(c *wire.Call, b batch, p power) (ins []*instance, errs []error, first error) {
	for _, id := range b.ids {
		_, i, err := s.instance(c, id)
		if err == nil {
			err = p.check(i)
		}
		if first == nil {
			first = err
		}
		ins, errs = append(ins, i), append(errs, err)
	}
	return ins, errs, first
}

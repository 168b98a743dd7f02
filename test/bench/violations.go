package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stage"
	"fleetwarden/shared/report"
)

// violated is what a sweep came to that found a violation at each instance.
type violated struct {
	night
	Messages int `json:"messages"` // in the queue of findings
}

// violations measures a sweep of a fleet in which no instance is as it should be.
func (s *summary) violations(ctx context.Context, root, bin string, n sizes) (err error) {
	st, err := openNight(ctx, root, bin, "violations.yaml", "sweep-findings")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	if _, err := seed(ctx, st, n.fleet, map[string]float64{"noRole": 1}); err != nil {
		return err
	}
	if s.Violated.night, err = sweepOnce(ctx, st, bin, n.fleet); err != nil {
		return err
	}
	return s.Violated.noticed(st)
}

// noticed counts the messages, and compares what they say with the report: a sweep whose
// findings are lost has no cost.
func (v *violated) noticed(st *stage.Stage) error {
	queue := mns.Queue{Account: server.Sharer, Region: server.Home, Name: "fleetwarden-findings"}
	v.Messages = st.Server.MNS.Visible(queue)
	messages, err := st.Server.MNS.Peek(queue, 1)
	if err != nil {
		return fmt.Errorf("looking into the queue of findings: %w", err)
	}
	var notice report.Notice
	for _, m := range messages {
		if err := json.Unmarshal([]byte(m.Body), &notice); err != nil {
			return fmt.Errorf("reading a message of the queue of findings: %w", err)
		}
	}
	if notice.Findings != v.Findings || v.Findings < v.Instances {
		return fmt.Errorf("sweeping %d instances, all of which violate: the report has %d findings, and the first of %d messages counts %d",
			v.Instances, v.Findings, v.Messages, notice.Findings)
	}
	return nil
}

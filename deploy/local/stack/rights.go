package stack

import (
	"errors"
	"fmt"

	"fleetwarden/deploy/local/fc"
	"fleetwarden/deploy/local/manifest"
	"fleetwarden/deploy/local/simcloud/mns"
)

// Function Compute sends to destinations and writes logs with the role of the function
// (help pages document_detail/2588687 and "Result callback", column "Required
// permission"). For logs other pages name AliyunServiceRoleForFC; the stricter reading is
// played here.

// destination sends records to a queue in a function's name.
func (s *Stack) destination(f fc.Function, arn string) (func([]byte) error, error) {
	push, err := s.queueAt(arn)
	if err != nil {
		return nil, err
	}
	q, err := mns.ParseARN(arn)
	if err != nil {
		return nil, err
	}
	return func(record []byte) error {
		if err := s.may(f, "mns:SendMessage", q.ARN()+"/messages"); err != nil {
			return err
		}
		return push(record)
	}, nil
}

// mayLog asks whether lines may be written into the store of a function's logConfig;
// without one, as a function made through the API may be, none is kept anywhere.
func (s *Stack) mayLog(f fc.Function, l *manifest.Log) func() error {
	if l == nil {
		return func() error { return errors.New("it has no logConfig") }
	}
	store := fmt.Sprintf("acs:log:%s:%s:project/%s/logstore/%s", f.Region, f.Account, l.Project, l.Logstore)
	return func() error { return s.may(f, "log:PostLogStoreLogs", store) }
}

// may takes a function's role and asks RAM; the error names action, resource and role.
func (s *Stack) may(f fc.Function, action, resource string) error {
	c, err := s.issue(&f, "fc-platform")
	if err != nil {
		return err
	}
	_, who, err := s.o.Server.STS.Key(c.AccessKeyID, c.SecurityToken)
	if err != nil {
		return err
	}
	if !s.o.Server.RAM.Allowed(who, action, resource, nil) {
		return fmt.Errorf("the role %s may not %s on %s", f.Role, action, resource)
	}
	return nil
}

package meta

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Batch is the largest number of ids that one call takes in one parameter.
type Batch struct {
	Param string
	Max   int
	// JSON: one string that holds a JSON array; otherwise Param.1, Param.2, ….
	JSON bool
	// TooMany and Malformed are the error codes and their HTTP status; empty
	// codes stand for 400 InvalidParameter.
	TooMany, Malformed Refusal
}

// Refusal is a documented answer.
type Refusal struct {
	Status int
	Code   string
}

// batches is the maxima of ecs-20140526 v7.9.2 field comments and of the 2021
// API reference's error tables. Where AddAccount is concerned the service drops
// the eleventh account silently instead, so that is the product's affair.
func batches() map[string][]Batch {
	malformed := Refusal{400, "InvalidInstanceIds.Malformed"}
	exceed := Refusal{403, "InstanceIds.ExceedLimit"}
	ids := func(p string, n int) []Batch { return []Batch{{Param: p, Max: n, JSON: true}} }
	list := func(p string, n int) []Batch { return []Batch{{Param: p, Max: n}} }
	role := func(n int) []Batch {
		return []Batch{{Param: "InstanceIds", Max: n, JSON: true, Malformed: malformed}}
	}
	five := func(p string) Batch {
		return Batch{Param: p, Max: 5, TooMany: Refusal{400, "InvalidParameter." + p + ".Length"}}
	}
	share := []Batch{five("Resources"), five("ResourceArns"), five("Targets")}
	run := []Batch{{Param: "InstanceId", Max: 100, TooMany: exceed}}
	return map[string][]Batch{
		"ecs:AttachInstanceRamRole":              role(100),
		"ecs:DetachInstanceRamRole":              role(100),
		"ecs:DescribeInstanceRamRole":            role(50),
		"ecs:DescribeInstances":                  append(ids("InstanceIds", 100), Batch{Param: "Tag", Max: 20}),
		"ecs:DescribeDisks":                      ids("DiskIds", 100),
		"ecs:DescribeSnapshots":                  ids("SnapshotIds", 100),
		"ecs:DescribeCloudAssistantStatus":       list("InstanceId", 50),
		"ecs:RunCommand":                         run,
		"ecs:InvokeCommand":                      run,
		"ecs:TagResources":                       append(list("ResourceId", 50), Batch{Param: "Tag", Max: 20}),
		"ecs:UntagResources":                     list("ResourceId", 50),
		"ecs:StartInstances":                     list("InstanceId", 100),
		"ecs:StopInstances":                      list("InstanceId", 100),
		"resourcesharing:CreateResourceShare":    share,
		"resourcesharing:AssociateResourceShare": share,
	}
}

// TooManyError says that a call carried more ids than the API takes.
type TooManyError struct {
	Batch Batch
	Got   int
}

func (e *TooManyError) Error() string {
	return fmt.Sprintf("%s holds %d entries, the maximum is %d", e.Batch.Param, e.Got, e.Batch.Max)
}

// MalformedError says that a parameter is not the JSON array it should be.
type MalformedError struct {
	Batch Batch
	Cause error
}

func (e *MalformedError) Error() string {
	return fmt.Sprintf("%s is not a JSON array of strings: %v", e.Batch.Param, e.Cause)
}

// Count returns how many ids a call carries in its batch parameters. The error
// is a *TooManyError or a *MalformedError.
func (a *Action) Count(params map[string]string) (int, error) {
	total := 0
	for _, b := range a.Batches {
		n, err := b.count(params)
		if err != nil {
			return 0, &MalformedError{b, err}
		}
		if n > b.Max {
			return 0, &TooManyError{b, n}
		}
		if b.Param != "Tag" {
			total += n
		}
	}
	return total, nil
}

func (b Batch) count(params map[string]string) (int, error) {
	if b.JSON {
		text, ok := params[b.Param]
		if !ok || text == "" {
			return 0, nil
		}
		var ids []string
		err := json.Unmarshal([]byte(text), &ids)
		return len(ids), err
	}
	seen := map[string]bool{}
	for k := range params {
		if rest, ok := strings.CutPrefix(k, b.Param+"."); ok {
			index, _, _ := strings.Cut(rest, ".")
			seen[index] = true
		}
	}
	return len(seen), nil
}

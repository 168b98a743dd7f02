package mns

import (
	"cmp"
	"errors"
	"net/http"
	"sync"

	"github.com/go-json-experiment/json"

	"fleetwarden/deploy/local/simcloud/wire"
)

// Open is the RPC product Mns-open, version 2022-01-19: queues and their settings, with
// dead-letter policies. Register it at a wire.Router as mns-open.
type Open struct{ Service *Service }

// Reply is a response of Mns-open.
type Reply[T any] struct {
	Code            int
	Status, Message string
	Success         bool
	Data            T
}

func success[T any](data T) *Reply[T] {
	return &Reply[T]{Code: http.StatusOK, Status: "Success", Message: "success", Success: true, Data: data}
}

// reply makes an answer of what the service says.
func reply[T any](data T, err error) (*Reply[T], error) {
	if err != nil {
		return nil, err
	}
	return success(data), nil
}

// QueueRequest names a queue.
type QueueRequest struct{ QueueName string }

func (in QueueRequest) queue(c *wire.Call) Queue {
	return Queue{c.Caller.Account, c.Region, in.QueueName}
}

// Enter implements wire.Guarded: RAM is asked about the queue. The service has its own
// mutex, and the APIs of tags name several queues.
func (o *Open) Enter(c *wire.Call) (sync.Locker, error) {
	switch c.Action {
	case "TagResources", "UntagResources":
		return nil, nil
	case "ListQueue":
		return nil, c.Allow("mns:ListQueue", "*")
	}
	return nil, c.Ask("mns:"+c.Action, "acs:mns:$Region:$Account:/queues/$QueueName")
}

// AttributeInput are the parameters that set attributes; DlqPolicy is JSON.
type AttributeInput struct {
	QueueRequest
	DelaySeconds, MaximumMessageSize, MessageRetentionPeriod, PollingWaitSeconds, VisibilityTimeout *int
	EnableLogging                                                                                   *bool
	DlqPolicy                                                                                       string
}

func (in *AttributeInput) onto(a *Attributes) {
	*a = Attributes{
		DelaySeconds:           wire.Given(in.DelaySeconds, a.DelaySeconds),
		MaximumMessageSize:     wire.Given(in.MaximumMessageSize, a.MaximumMessageSize),
		MessageRetentionPeriod: wire.Given(in.MessageRetentionPeriod, a.MessageRetentionPeriod),
		VisibilityTimeout:      wire.Given(in.VisibilityTimeout, a.VisibilityTimeout),
		PollingWaitSeconds:     wire.Given(in.PollingWaitSeconds, a.PollingWaitSeconds),
		LoggingEnabled:         wire.Given(in.EnableLogging, a.LoggingEnabled),
	}
}

// DlqPolicy is a dead-letter policy as it is set and shown.
type DlqPolicy struct {
	DeadLetterTargetQueue string `json:",omitempty"`
	Enabled               bool
	MaxReceiveCount       int `json:",omitempty"`
}

// dead sets the policy, if one is given. 16 receives are the default.
func (o *Open) dead(id Queue, text string) error {
	if text == "" {
		return nil
	}
	var p DlqPolicy
	if err := json.Unmarshal([]byte(text), &p, json.RejectUnknownMembers(true)); err != nil {
		return invalidArgument("reading DlqPolicy: %v", err)
	}
	if !p.Enabled {
		return o.Service.SetDeadLetter(id, nil)
	}
	return o.Service.SetDeadLetter(id, &DeadLetterPolicy{Target: p.DeadLetterTargetQueue, MaxReceiveCount: cmp.Or(p.MaxReceiveCount, 16)})
}

// CreateQueueRequest are the parameters of CreateQueue.
type CreateQueueRequest struct {
	AttributeInput
	QueueType string
	Tag       []Tag
}

// Nothing is no data.
type Nothing struct{}

// CreateQueue makes a queue. One with the same attributes is fine.
func (o *Open) CreateQueue(c *wire.Call, in *CreateQueueRequest) (*Reply[Nothing], error) {
	if in.QueueType != "" && in.QueueType != "normal" {
		return reply(Nothing{}, invalidArgument("simcloud has queues of QueueType normal alone"))
	}
	id, a := in.queue(c), Defaults()
	in.onto(&a)
	made, err := o.Service.Create(id, a)
	if err == nil {
		if err = o.dead(id, in.DlqPolicy); err != nil && made {
			err = errors.Join(err, o.Service.Drop(id))
		}
	}
	if err == nil && made {
		err = o.Service.Tag(id, in.Tag)
	}
	c.Refer("ACS::MNS::Queue", in.QueueName)
	return reply(Nothing{}, err)
}

// SetQueueAttributes changes what it is given.
func (o *Open) SetQueueAttributes(c *wire.Call, in *AttributeInput) (*Reply[Nothing], error) {
	c.Refer("ACS::MNS::Queue", in.QueueName)
	err := o.Service.SetAttributes(in.queue(c), in.onto)
	if err == nil {
		err = o.dead(in.queue(c), in.DlqPolicy)
	}
	return reply(Nothing{}, err)
}

// DeleteQueue deletes a queue with its messages.
func (o *Open) DeleteQueue(c *wire.Call, in *QueueRequest) (*Reply[Nothing], error) {
	c.Refer("ACS::MNS::Queue", in.QueueName)
	return reply(Nothing{}, o.Service.Drop(in.queue(c)))
}

// TagRequest are the parameters of TagResources.
type TagRequest struct {
	ResourceType string
	ResourceId   []string
	Tag          []Tag
}

// TagResources gives tags to queues.
func (o *Open) TagResources(c *wire.Call, in *TagRequest) (*Reply[Nothing], error) {
	return o.tags(c, in.ResourceType, in.ResourceId, func(id Queue) error { return o.Service.Tag(id, in.Tag) })
}

// UntagRequest are the parameters of UntagResources.
type UntagRequest struct {
	ResourceType       string
	ResourceId, TagKey []string
}

// UntagResources takes tags from queues.
func (o *Open) UntagResources(c *wire.Call, in *UntagRequest) (*Reply[Nothing], error) {
	return o.tags(c, in.ResourceType, in.ResourceId, func(id Queue) error { return o.Service.Untag(id, in.TagKey) })
}

func (o *Open) tags(c *wire.Call, kind string, names []string, change func(Queue) error) (*Reply[Nothing], error) {
	if kind != "queue" {
		return reply(Nothing{}, invalidArgument("simcloud tags resources of ResourceType queue alone"))
	}
	var ids []Queue
	for _, name := range names {
		id := QueueRequest{name}.queue(c)
		err := c.Allow("mns:"+c.Action, id.ARN())
		if err == nil {
			_, err = o.Service.Attributes(id)
		}
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	for _, id := range ids {
		if err := change(id); err != nil {
			return nil, err
		}
		c.Refer("ACS::MNS::Queue", id.Name)
	}
	return success(Nothing{}), nil
}

// QueueInfo is a queue as it is shown. The three counters say 0 whatever is in the queue,
// as the vendor has announced, unless [Service.ShowCounters] has them shown: CloudMonitor
// reports how full a queue is.
type QueueInfo struct {
	QueueName                                                                                       string
	CreateTime, LastModifyTime                                                                      int64 // s
	DelaySeconds, MaximumMessageSize, MessageRetentionPeriod, PollingWaitSeconds, VisibilityTimeout int
	LoggingEnabled                                                                                  bool
	ActiveMessages, InactiveMessages, DelayMessages                                                 int
	DlqPolicy                                                                                       DlqPolicy
	Tags                                                                                            []ShownTag
}

// ShownTag is a tag as it is shown.
type ShownTag struct{ TagKey, TagValue string }

func (st *Status) info() QueueInfo {
	a := st.Attributes
	out := QueueInfo{
		QueueName: st.Queue.Name, CreateTime: st.Created.Unix(), LastModifyTime: st.Modified.Unix(), DelaySeconds: a.DelaySeconds,
		MaximumMessageSize: a.MaximumMessageSize, MessageRetentionPeriod: a.MessageRetentionPeriod, PollingWaitSeconds: a.PollingWaitSeconds,
		VisibilityTimeout: a.VisibilityTimeout, LoggingEnabled: a.LoggingEnabled, Tags: []ShownTag{},
		ActiveMessages: st.Shown.Active, InactiveMessages: st.Shown.Inactive, DelayMessages: st.Shown.Delayed,
	}
	for _, t := range st.Tags {
		out.Tags = append(out.Tags, ShownTag{t.Key, t.Value})
	}
	if d := st.DeadLetter; d != nil {
		out.DlqPolicy = DlqPolicy{d.Target, true, d.MaxReceiveCount}
	}
	return out
}

// GetQueueAttributes shows one queue.
func (o *Open) GetQueueAttributes(c *wire.Call, in *QueueRequest) (*Reply[QueueInfo], error) {
	st, err := o.Service.Attributes(in.queue(c))
	return reply(st.info(), err)
}

// ListQueueRequest are the parameters of ListQueue. QueueName is a prefix.
type ListQueueRequest struct {
	QueueName         string
	PageNum, PageSize int
}

// QueuePage is a page of queues.
type QueuePage struct {
	PageData                        []QueueInfo
	PageNum, PageSize, Pages, Total int
	Size                            int // of this page
}

// ListQueue lists queues by name, 10 to 50 a page.
func (o *Open) ListQueue(c *wire.Call, in *ListQueueRequest) (*Reply[QueuePage], error) {
	size, number := cmp.Or(in.PageSize, 10), cmp.Or(in.PageNum, 1)
	if size < 10 || size > 50 || number < 1 {
		return reply(QueuePage{}, invalidArgument("PageSize is 10 to 50, PageNum 1 or more"))
	}
	all := o.Service.List(c.Caller.Account, c.Region, in.QueueName)
	out := QueuePage{PageData: []QueueInfo{}, PageNum: number, PageSize: size, Total: len(all), Pages: (len(all) + size - 1) / size}
	for i := min((number-1)*size, len(all)); i < min(number*size, len(all)); i++ {
		out.PageData = append(out.PageData, all[i].info())
	}
	out.Size = len(out.PageData)
	return success(out), nil
}

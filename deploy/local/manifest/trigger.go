package manifest

import (
	"encoding/json"

	"github.com/robfig/cron/v3"
	"go.yaml.in/yaml/v3"
)

// EventBridge is the config of a trigger of type eventbridge: the default bus
// event by event, or a stream of a queue's messages in windows.
type EventBridge struct {
	TriggerEnable          bool        `yaml:"triggerEnable"`
	AsyncInvocationType    bool        `yaml:"asyncInvocationType"`
	EventRuleFilterPattern string      `yaml:"eventRuleFilterPattern"`
	EventSinkConfig        EventSink   `yaml:"eventSinkConfig"`
	EventSourceConfig      EventSource `yaml:"eventSourceConfig"`
	RunOptions             RunOptions  `yaml:"runOptions"`
}

// EventSink says in which form events are delivered.
type EventSink struct {
	DeliveryOption DeliveryOption `yaml:"deliveryOption"`
}

// DeliveryOption is CloudEvents or RawData; the latter strips the envelope.
type DeliveryOption struct {
	EventSchema string `yaml:"eventSchema"`
}

// EventSource is Default, the bus, or MNS, a queue.
type EventSource struct {
	Type       string           `yaml:"eventSourceType"`
	Parameters SourceParameters `yaml:"eventSourceParameters"`
}

// SourceParameters belong to the sources other than Default.
type SourceParameters struct {
	MNS *SourceMNS `yaml:"sourceMNSParameters"`
}

// SourceMNS is a queue. IsBase64Decode is true by default, which would garble
// text that is not Base64.
type SourceMNS struct {
	RegionID       string `yaml:"RegionId"`
	QueueName      string `yaml:"QueueName"`
	IsBase64Decode *bool  `yaml:"IsBase64Decode"`
}

// RunOptions are how events are delivered.
type RunOptions struct {
	Mode            string        `yaml:"mode"` // event-driven or event-streaming
	ErrorsTolerance string        `yaml:"errorsTolerance"`
	RetryStrategy   RetryStrategy `yaml:"retryStrategy"`
	DeadLetterQueue *DeadLetter   `yaml:"deadLetterQueue"`
	BatchWindow     *BatchWindow  `yaml:"batchWindow"`
}

// RetryStrategy is BACKOFF_RETRY or EXPONENTIAL_DECAY_RETRY.
type RetryStrategy struct {
	PushRetryStrategy        string `yaml:"PushRetryStrategy"`
	MaximumEventAgeInSeconds int    `yaml:"MaximumEventAgeInSeconds"`
	MaximumRetryAttempts     int    `yaml:"MaximumRetryAttempts"`
}

// DeadLetter is where events go that cannot be delivered.
type DeadLetter struct {
	Arn string `yaml:"Arn"`
}

// BatchWindow closes at so many messages or after so many seconds.
type BatchWindow struct {
	CountBasedWindow int `yaml:"CountBasedWindow"`
	TimeBasedWindow  int `yaml:"TimeBasedWindow"`
}

// Timer is the config of a trigger of type timer. The expression has six fields
// with seconds, in UTC unless CRON_TZ= says otherwise.
type Timer struct {
	CronExpression string `yaml:"cronExpression"`
	Enable         bool   `yaml:"enable"`
	Payload        string `yaml:"payload"`

	Schedule cron.Schedule `yaml:"-"`
}

// readConfig reads a trigger's config by its type. The vendor's schema takes any
// object here.
func (t *Trigger) readConfig(n *yaml.Node) error {
	config := child(n, "triggerConfig")
	switch t.Type {
	case "eventbridge":
		t.EventBridge = &EventBridge{}
		if err := decode(config, t.EventBridge); err != nil {
			return err
		}
		return t.EventBridge.check(config)
	case "timer":
		t.Timer = &Timer{}
		if err := decode(config, t.Timer); err != nil {
			return err
		}
		return t.Timer.check(config)
	}
	return at(child(n, "triggerType"), "triggerType %q is not supported here; fc3 spells eventbridge, timer, mns_topic, http, oss, log", t.Type)
}

func (e *EventBridge) check(n *yaml.Node) error {
	for _, key := range []string{"asyncInvocationType", "eventRuleFilterPattern", "eventSinkConfig", "eventSourceConfig", "runOptions", "triggerEnable"} {
		if child(n, key) == n {
			return at(n, "triggerConfig lacks %s", key)
		}
	}
	if !json.Valid([]byte(e.EventRuleFilterPattern)) {
		return at(child(n, "eventRuleFilterPattern"), "eventRuleFilterPattern is not JSON")
	}
	if s := e.EventSinkConfig.DeliveryOption.EventSchema; s != "CloudEvents" {
		return at(child(n, "eventSinkConfig"), "eventSchema must be CloudEvents, not %q: our functions read the envelope", s)
	}
	if err := e.RunOptions.check(child(n, "runOptions")); err != nil {
		return err
	}
	switch e.EventSourceConfig.Type {
	case "Default":
		return e.checkBus(n)
	case "MNS":
		return e.checkStream(n)
	}
	return at(child(n, "eventSourceConfig"), "eventSourceType %q is not supported here", e.EventSourceConfig.Type)
}

func (e *EventBridge) checkBus(n *yaml.Node) error {
	if e.RunOptions.Mode != "event-driven" || e.RunOptions.BatchWindow != nil {
		return at(child(n, "runOptions"), "the default bus delivers event by event: mode event-driven, no batchWindow")
	}
	return nil
}

// checkStream: count 1–10000, time 0–15 s, as the console has it.
func (e *EventBridge) checkStream(n *yaml.Node) error {
	p, w := e.EventSourceConfig.Parameters.MNS, e.RunOptions.BatchWindow
	if p == nil || p.QueueName == "" || p.RegionID == "" || p.IsBase64Decode == nil {
		return at(child(n, "eventSourceConfig"), "sourceMNSParameters needs RegionId, QueueName and IsBase64Decode")
	}
	if e.RunOptions.Mode != "event-streaming" || w == nil {
		return at(child(n, "runOptions"), "a queue is delivered in windows: mode event-streaming and a batchWindow")
	}
	if w.CountBasedWindow < 1 || w.CountBasedWindow > 10000 || w.TimeBasedWindow < 0 || w.TimeBasedWindow > 15 {
		return at(child(n, "runOptions", "batchWindow"), "CountBasedWindow is 1 to 10000, TimeBasedWindow 0 to 15 seconds")
	}
	return nil
}

func (o *RunOptions) check(n *yaml.Node) error {
	switch o.RetryStrategy.PushRetryStrategy {
	case "BACKOFF_RETRY", "EXPONENTIAL_DECAY_RETRY":
	default:
		return at(child(n, "retryStrategy"), "PushRetryStrategy is BACKOFF_RETRY or EXPONENTIAL_DECAY_RETRY")
	}
	if o.ErrorsTolerance != "ALL" && o.ErrorsTolerance != "NONE" {
		return at(child(n, "errorsTolerance"), "errorsTolerance is ALL or NONE")
	}
	if o.DeadLetterQueue == nil || o.DeadLetterQueue.Arn == "" {
		return at(n, "deadLetterQueue is missing: events that cannot be delivered would be dropped")
	}
	return nil
}

func (t *Timer) check(n *yaml.Node) error {
	parser := cron.NewParser(cron.Second | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)
	var err error
	if t.Schedule, err = parser.Parse(t.CronExpression); err != nil {
		return at(child(n, "cronExpression"), "cronExpression: %v", err)
	}
	return nil
}

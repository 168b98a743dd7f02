package mns

import (
	"context"
	"fmt"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

// Settings are the attributes of a queue that were set. Its counters are not among them:
// GetQueueAttributes is announced to answer 0 for each (alibabacloud.com/help/en/mns/getqueueattributes).
type Settings struct {
	// DeadLetters is the queue that takes what was received too often; empty for none.
	DeadLetters string
}

type queueAttributes struct {
	Data struct {
		QueueName string `json:"QueueName"`
		DlqPolicy struct {
			Enabled bool   `json:"Enabled"`
			Target  string `json:"DeadLetterTargetQueue"`
		} `json:"DlqPolicy"`
	} `json:"Data"`
}

type queueName struct {
	QueueName *string `json:"QueueName,omitempty" xml:"QueueName,omitempty"`
}

// SettingsOf reads the settings of a queue, with GetQueueAttributes of Mns-open. The error of a
// queue that does not exist has class [fleet.NotFound].
func SettingsOf(ctx context.Context, s *aliyun.Session, region fleet.Region, queue string) (Settings, error) {
	api := aliyun.API{Product: aliyun.MNSOpen, Action: "GetQueueAttributes", Region: region}
	got, err := aliyun.Do[queueName, queueAttributes](ctx, s, api, &queueName{&queue})
	if err != nil {
		return Settings{}, err
	}
	d := got.Data
	switch {
	case d.QueueName != queue:
		return Settings{}, fmt.Errorf("reading queue %s: the answer is about another queue, or none", queue)
	case !d.DlqPolicy.Enabled:
		return Settings{}, nil
	}
	return Settings{DeadLetters: d.DlqPolicy.Target}, nil
}

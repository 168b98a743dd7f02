package conformance_test

import (
	"context"
	"errors"
	"testing"
	"time"

	mnssdk "github.com/aliyun/aliyun-mns-go-sdk"
)

func TestMNSMessageIsReceivedHiddenAndReceivedAgain(t *testing.T) {
	q := newQueues(t, &keys{})
	queue := q.queue(t, "q")
	sent, err := queue.SendMessage(text(`{"a":"<&>"}`))
	if err != nil {
		t.Fatal(err)
	}
	first, err := receive(queue)
	if err != nil {
		t.Fatal(err)
	}
	if first.MessageId != sent.MessageId || first.MessageBody != `{"a":"<&>"}` || first.MessageBodyMD5 != sent.MessageBodyMD5 || sent.ReceiptHandle != "" {
		t.Errorf("sent %+v, received %+v", sent, first)
	}
	if first.NextVisibleTime != start.Add(30*time.Second).UnixMilli() || first.DequeueCount != 1 || first.Priority != 8 {
		t.Errorf("received %+v", first)
	}
	_, err = receive(queue)
	refused(t, err, mnssdk.ERR_MNS_MESSAGE_NOT_EXIST)
	q.advance(t, 30*time.Second)
	refused(t, queue.DeleteMessage(first.ReceiptHandle), mnssdk.ERR_MNS_MESSAGE_NOT_EXIST)
	again, err := receive(queue)
	if err != nil || again.DequeueCount != 2 || again.FirstDequeueTime != start.UnixMilli() {
		t.Fatalf("received again %+v, %v", again, err)
	}
	if err := queue.DeleteMessage(again.ReceiptHandle); err != nil {
		t.Fatal(err)
	}
	refused(t, queue.DeleteMessage(again.ReceiptHandle), mnssdk.ERR_MNS_MESSAGE_NOT_EXIST)
	refused(t, queue.DeleteMessage("not-a-handle"), mnssdk.ERR_MNS_RECEIPT_HANDLE_ERROR)
	refused(t, queue.DeleteMessage(""), mnssdk.ERR_MNS_MISSING_RECEIPT_HANDLE)
}

func TestMNSDelayedMessageComesAfterItsDelay(t *testing.T) {
	q := newQueues(t, &keys{})
	queue := q.queue(t, "q")
	sent, err := queue.SendMessage(mnssdk.MessageSendRequest{MessageBody: "later", DelaySeconds: 300, Priority: 8})
	if err != nil || sent.ReceiptHandle == "" {
		t.Fatalf("sent %+v, %v", sent, err)
	}
	q.advance(t, 299*time.Second)
	_, err = receive(queue)
	refused(t, err, mnssdk.ERR_MNS_MESSAGE_NOT_EXIST)
	q.advance(t, time.Second)
	if _, err := receive(queue); err != nil {
		t.Error(err)
	}
}

func TestMNSLongPollWaitsInVirtualTime(t *testing.T) {
	q := newQueues(t, &keys{})
	queue := q.queue(t, "q")
	if _, err := queue.SendMessage(mnssdk.MessageSendRequest{MessageBody: "later", DelaySeconds: 10, Priority: 8}); err != nil {
		t.Fatal(err)
	}
	answer := make(chan error, 1)
	go func() {
		m, err := receive(queue, 30)
		if err == nil && m.MessageBody != "later" {
			err = errors.New("another message: " + m.MessageBody)
		}
		answer <- err
	}()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go q.world.Clock.Follow(ctx, 1000)
	if err := <-answer; err != nil {
		t.Error(err)
	}
	if waited := q.world.Clock.Now().Sub(start); waited < 10*time.Second {
		t.Errorf("answered after %v of virtual time, want at least 10s", waited)
	}
	_, err := receive(queue, 5)
	refused(t, err, mnssdk.ERR_MNS_MESSAGE_NOT_EXIST)
}

func TestMNSBatches(t *testing.T) {
	q := newQueues(t, &keys{})
	queue := q.queue(t, "q")
	sent, err := queue.BatchSendMessage(text("a"), mnssdk.MessageSendRequest{MessageBody: "bad priority"}, text("c"))
	if err != nil {
		t.Fatal(err)
	}
	if sent.Messages[0].MessageId == "" || sent.Messages[1].ErrorCode != "InvalidArgument" || sent.Messages[2].MessageId == "" {
		t.Errorf("sent %+v", sent.Messages)
	}
	got, err := batchReceive(queue, 16)
	if err != nil || len(got) != 2 || got[0].MessageBody != "a" || got[1].MessageBody != "c" {
		t.Fatalf("received %+v, %v", got, err)
	}
	bad, err := queue.BatchDeleteMessage(got[0].ReceiptHandle, "not-a-handle")
	refused(t, err, mnssdk.ERR_MNS_BATCH_OP_FAIL)
	if len(bad.FailedMessages) != 1 || bad.FailedMessages[0].ErrorCode != "ReceiptHandleError" || bad.FailedMessages[0].ReceiptHandle != "not-a-handle" {
		t.Errorf("failed %+v", bad.FailedMessages)
	}
	if _, err := queue.BatchDeleteMessage(got[1].ReceiptHandle); err != nil {
		t.Error(err)
	}
	_, err = batchReceive(queue, 17)
	refused(t, err, mnssdk.ERR_MNS_INVALID_ARGUMENT)
	_, err = batchReceive(queue, 16)
	refused(t, err, mnssdk.ERR_MNS_MESSAGE_NOT_EXIST)
}

func TestMNSPeekTakesNothing(t *testing.T) {
	queue := newQueues(t, &keys{}).queue(t, "q")
	for _, m := range []mnssdk.MessageSendRequest{text("second"), {MessageBody: "first", Priority: 1}} {
		if _, err := queue.SendMessage(m); err != nil {
			t.Fatal(err)
		}
	}
	one, all, failed := make(chan mnssdk.MessageReceiveResponse, 1), make(chan mnssdk.BatchMessageReceiveResponse, 1), make(chan error, 2)
	queue.PeekMessage(one, failed)
	queue.BatchPeekMessage(all, failed, 16)
	if m := <-one; m.MessageBody != "first" || m.ReceiptHandle != "" || m.DequeueCount != 0 {
		t.Errorf("peeked %+v", m)
	}
	if m := <-all; len(m.Messages) != 2 || m.Messages[1].MessageBody != "second" {
		t.Errorf("peeked %+v", m.Messages)
	}
	if m, err := receive(queue); err != nil || m.MessageBody != "first" {
		t.Errorf("received %+v, %v", m, err)
	}
}

func TestMNSPeekSeesVisibleMessagesAlone(t *testing.T) {
	q := newQueues(t, &keys{})
	queue := q.queue(t, "q")
	for _, m := range []mnssdk.MessageSendRequest{{MessageBody: "hidden", Priority: 1}, text("seen"), {MessageBody: "delayed", DelaySeconds: 60, Priority: 1}} {
		if _, err := queue.SendMessage(m); err != nil {
			t.Fatal(err)
		}
	}
	if m, err := receive(queue); err != nil || m.MessageBody != "hidden" {
		t.Fatalf("received %+v, %v", m, err)
	}
	all, failed := make(chan mnssdk.BatchMessageReceiveResponse, 1), make(chan error, 2)
	queue.BatchPeekMessage(all, failed, 16)
	if m := <-all; len(m.Messages) != 1 || m.Messages[0].MessageBody != "seen" {
		t.Errorf("peeked %+v", m.Messages)
	}
	queue.BatchPeekMessage(all, failed, 17)
	refused(t, <-failed, mnssdk.ERR_MNS_INVALID_ARGUMENT)
}

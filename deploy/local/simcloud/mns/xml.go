package mns

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"time"
)

// All answers are in the namespace http://mns.aliyuncs.com/doc/v1/.

type xmlError struct {
	XMLName   xml.Name `xml:"http://mns.aliyuncs.com/doc/v1/ Error"`
	Code      string
	Message   string
	RequestID string `xml:"RequestId"`
	HostID    string `xml:"HostId"`
}

// xmlOutgoing is a message to send. A Priority of 0, which the Go SDK sends for
// none given, is outside 1–16 and refused.
type xmlOutgoing struct {
	MessageBody  string
	DelaySeconds *int
	Priority     *int
}

type xmlBatch struct {
	XMLName  xml.Name
	Messages []xmlOutgoing `xml:"Message"`
}

// namespace is that of a document's root. A Message of a list has none of its own.
const namespace = "http://mns.aliyuncs.com/doc/v1/"

type xmlSent struct {
	XMLName        xml.Name `xml:"Message"`
	Namespace      string   `xml:"xmlns,attr,omitempty"`
	ErrorCode      string   `xml:",omitempty"`
	ErrorMessage   string   `xml:",omitempty"`
	MessageID      string   `xml:"MessageId,omitempty"`
	MessageBodyMD5 string   `xml:",omitempty"`
	ReceiptHandle  string   `xml:",omitempty"`
}

func sentXML(m Message) xmlSent {
	return xmlSent{MessageID: m.ID, MessageBodyMD5: m.BodyMD5, ReceiptHandle: m.ReceiptHandle}
}

type xmlMessages[T any] struct {
	XMLName  xml.Name `xml:"http://mns.aliyuncs.com/doc/v1/ Messages"`
	Messages []T      `xml:"Message"`
}

type xmlMessage struct {
	XMLName          xml.Name `xml:"Message"`
	Namespace        string   `xml:"xmlns,attr,omitempty"`
	MessageID        string   `xml:"MessageId"`
	ReceiptHandle    string   `xml:",omitempty"`
	MessageBody      string
	MessageBodyMD5   string
	EnqueueTime      int64 // ms, as all times of messages
	NextVisibleTime  int64 `xml:",omitempty"`
	FirstDequeueTime int64
	DequeueCount     int
	Priority         int
}

// messageXML: a peeked message has neither receipt handle nor next visible time.
func messageXML(m Message) xmlMessage {
	x := xmlMessage{
		MessageID: m.ID, ReceiptHandle: m.ReceiptHandle, MessageBody: m.Body, MessageBodyMD5: m.BodyMD5,
		EnqueueTime: m.EnqueueTime.UnixMilli(), FirstDequeueTime: millis(m.FirstDequeueTime),
		DequeueCount: m.DequeueCount, Priority: m.Priority,
	}
	if m.ReceiptHandle != "" {
		x.NextVisibleTime = m.NextVisibleTime.UnixMilli()
	}
	return x
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

type xmlQueue struct {
	XMLName                                                                                         xml.Name `xml:"http://mns.aliyuncs.com/doc/v1/ Queue"`
	QueueName                                                                                       string
	CreateTime, LastModifyTime                                                                      int64 // s
	DelaySeconds, MaximumMessageSize, MessageRetentionPeriod, VisibilityTimeout, PollingWaitSeconds int
	ActiveMessages, InactiveMessages, DelayMessages                                                 int
	LoggingEnabled                                                                                  bool
}

func queueXML(st Status) xmlQueue {
	a := st.Attributes
	return xmlQueue{
		QueueName: st.Queue.Name, CreateTime: st.Created.Unix(), LastModifyTime: st.Modified.Unix(), DelaySeconds: a.DelaySeconds,
		MaximumMessageSize: a.MaximumMessageSize, MessageRetentionPeriod: a.MessageRetentionPeriod, VisibilityTimeout: a.VisibilityTimeout,
		PollingWaitSeconds: a.PollingWaitSeconds, LoggingEnabled: a.LoggingEnabled,
		ActiveMessages: st.Shown.Active, InactiveMessages: st.Shown.Inactive, DelayMessages: st.Shown.Delayed,
	}
}

type xmlHandles struct {
	XMLName xml.Name `xml:"ReceiptHandles"`
	Handles []string `xml:"ReceiptHandle"`
}

type xmlErrors struct {
	XMLName xml.Name `xml:"http://mns.aliyuncs.com/doc/v1/ Errors"`
	Errors  []xmlDeleteError
}

type xmlDeleteError struct {
	XMLName       xml.Name `xml:"Error"`
	ErrorCode     string
	ErrorMessage  string
	ReceiptHandle string
}

// parse reads one XML document. An empty one leaves v as it is.
func parse(body []byte, v any) error {
	err := xml.NewDecoder(bytes.NewReader(body)).Decode(v)
	if errors.Is(err, io.EOF) && len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	if err != nil {
		return errMalformedXML()
	}
	return nil
}

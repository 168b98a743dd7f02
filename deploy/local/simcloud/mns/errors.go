package mns

import "fleetwarden/deploy/local/simcloud/wire"

// Codes and statuses: the vendor's error table (alibabacloud.com/help/en/mns/error-codes).
// The misspelt InvalidDegist is the vendor's.

func invalidArgument(format string, args ...any) error {
	return wire.Errorf(400, "InvalidArgument", format, args...)
}

func errQueueNotExist() error {
	return wire.Errorf(404, "QueueNotExist", "The queue name you provided is not exist.")
}

func errQueueAlreadyExist() error {
	return wire.Errorf(409, "QueueAlreadyExist", "The queue already exists with different attributes.")
}

func errQueueNameLength() error {
	return wire.Errorf(400, "QueueNameLengthError", "The length of queue name should be between 1 and %d.", maxName)
}

func errInvalidQueueName() error {
	return wire.Errorf(400, "InvalidQueueName", "A queue name has letters, digits and hyphens only.")
}

func errMessageNotExist() error {
	return wire.Errorf(404, "MessageNotExist", "Message not exist.")
}

func errReceiptHandle() error {
	return wire.Errorf(400, "ReceiptHandleError", "The receipt handle you provided is not valid.")
}

func errMalformedXML() error {
	return wire.Errorf(400, "MalformedXML", "The XML you provided was not well-formed.")
}

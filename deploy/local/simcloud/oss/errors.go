package oss

import "fleetwarden/deploy/local/simcloud/wire"

// Codes and statuses: the vendor's error table (alibabacloud.com/help/en/oss/support/0002-00000001
// and the pages of each API).

func errNoSuchBucket(name string) error {
	return wire.Errorf(404, "NoSuchBucket", "The specified bucket does not exist: %s.", name)
}

func errNoSuchKey() error { return wire.Errorf(404, "NoSuchKey", "The specified key does not exist.") }

func errNoSuchVersion() error {
	return wire.Errorf(404, "NoSuchVersion", "The specified version does not exist.")
}

// errDeleteMarker: a delete marker can be named and not be read.
func errDeleteMarker() error {
	return wire.Errorf(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
}

// errNotModified has no body on the wire.
func errNotModified() error { return wire.Errorf(304, "NotModified", "Not Modified") }

func errPrecondition() error {
	return wire.Errorf(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold.")
}

func errInvalidRange() error {
	return wire.Errorf(416, "InvalidRange", "The requested range cannot be satisfied.")
}

func errInvalidDigest() error {
	return wire.Errorf(400, "InvalidDigest", "The Content-MD5 you specified was invalid.")
}

func errMalformedXML() error {
	return wire.Errorf(400, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema.")
}

func errFileAlreadyExists() error {
	return wire.Errorf(409, "FileAlreadyExists", "The object you specified already exists and can not be overwritten.")
}

func errBucketAlreadyExists() error {
	return wire.Errorf(409, "BucketAlreadyExists", "The requested bucket name is not available. The bucket namespace is shared by all users of the system.")
}

func errInvalidBucketName() error {
	return wire.Errorf(400, "InvalidBucketName", "The specified bucket is not valid.")
}

func errInvalidObjectName() error {
	return wire.Errorf(400, "InvalidObjectName", "The specified object is not valid.")
}

func errOtherEndpoint() error {
	return wire.Errorf(403, "AccessDenied", "The bucket you are attempting to access must be addressed using the specified endpoint.")
}

func errInvalidArgument(format string, args ...any) error {
	return wire.Errorf(400, "InvalidArgument", format, args...)
}

func errDenied(action string) *wire.Error {
	return wire.Errorf(403, "AccessDenied", "You have no right to access this object because of bucket acl. (%s)", action)
}

func errSignature() error {
	return wire.Errorf(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your key and signing method.")
}

func errMalformed(what string) error {
	return wire.Errorf(400, "InvalidArgument", "The request is not signed as OSS asks for: %s.", what)
}

// Package oss is Object Storage Service as far as a ledger or a report needs it:
// buckets, and objects that are put, read, listed and deleted whole. It speaks the
// REST protocol of the official SDKs, by path style or with the bucket in the host
// name, and verifies signatures of version 4 (OSS4-HMAC-SHA256) and 1, which "aliyun oss"
// uses.
//
// Buckets can have versioning. Multipart uploads, listings of versions, access control
// lists, lifecycle rules and signed addresses are not here: what is not served says so,
// and is never answered as something else.
//
// Facts: published API pages of OSS, and alibabacloud-oss-go-sdk-v2 v1.2.3.
package oss

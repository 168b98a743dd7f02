// Package resourcesharing is simcloud's Resource Sharing, API version
// 2020-01-10, as far as snapshots and images are shared by it: resource shares
// with their resources and targets, which are accounts, folders or the whole
// directory, and invitations to accounts outside. Permissions other than the
// defaults, and other types of resources, are not part of this cloud.
//
// An association of something encrypted only succeeds if the targets' ECS can
// use its key, which package access judges. All tables are guarded by the
// World's mutex.
//
// Errors are those of the APIs' error tables; where a comment says assumed, none
// was found there.
package resourcesharing

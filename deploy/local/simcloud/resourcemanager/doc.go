// Package resourcemanager is simcloud's Resource Directory, of the product
// Resource Management, API version 2020-03-31: one directory with its
// management account, a tree of folders and member accounts. Resource groups,
// control policies and delegated administrators are not part of this cloud.
//
// It has a mutex of its own, always taken last, so that other products can ask
// it with and without the World's mutex held.
package resourcemanager

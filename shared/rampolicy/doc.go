// Package rampolicy reads RAM documents and answers questions about them: what
// a set of policies allows ([Evaluate], [Grants], [OverBroad]), whom a role
// trusts ([Trust]), and how a trust document looks with more or fewer sharees.
//
// Everything here is a pure function of text. What the text leaves open is
// [Unsure], never [Allowed]: a condition whose operator or key is not known, an
// element that this package does not know, a document that could not be read.
//
// Clients, clocks and decisions about what to do live elsewhere. The syntax is
// that of https://www.alibabacloud.com/help/doc-detail/93739.htm and
// https://help.aliyun.com/en/ram/policy-elements.
package rampolicy

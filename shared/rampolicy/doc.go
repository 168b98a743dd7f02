// Package rampolicy reads RAM documents and evaluates them: what a set of policies allows
// ([Evaluate], [Grants], [OverBroad]), who may assume a role ([Trust]), and the trust
// document with more or fewer sharees.
//
// It is a pure function of text. Where the text does not decide, the answer is [Unsure],
// never [Allowed]: an unknown operator, key or element, or a document that could not be
// read.
//
// The syntax is that of https://www.alibabacloud.com/help/doc-detail/93739.htm and
// https://help.aliyun.com/en/ram/policy-elements.
package rampolicy

// Package aliyun is the only place that knows Alibaba Cloud's SDKs. It holds
// what all products need: credentials, the endpoint, one generic call ([Do])
// with its retry, budget, count and error classes. The packages below it give
// each product narrow methods that speak fleet values.
//
// No decision is made here: nothing in this tree knows a rule or a policy.
//
// The typed SDKs of ECS and Security Center have no context methods in the
// versions used. Do therefore takes their request structs and sends them
// through the same client those SDKs embed, by CallApiWithCtx. Responses are
// decoded once, straight from the bytes, into the struct the caller names: the
// SDKs' own or, for lists with a hundred fields of which we need ten, our own.
package aliyun

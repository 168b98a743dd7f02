// Package aliyun is the only tree that imports Alibaba Cloud's SDKs. It has what all
// products need: credentials, the endpoint, one generic call ([Do]) with its retry, budget,
// count and error classes. The packages below it give each product narrow methods with
// fleet values.
//
// It decides nothing and knows neither rules nor policies.
//
// The typed SDKs of ECS and Security Center have no context methods in the versions used.
// Do therefore takes their request structs and sends them through the client that those
// SDKs embed, by CallApiWithCtx. Responses are decoded once, from the bytes, into the
// struct the caller names: the SDKs' own or, for lists with a hundred fields of which we
// need ten, our own.
package aliyun

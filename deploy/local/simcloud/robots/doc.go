// Package robots is the other end of notifications: the chat robots of DingTalk, Feishu (Lark)
// and WeCom, incoming webhooks of Slack, workflows of Teams, and plain webhooks. It checks
// what is posted to them as strictly as their documentation allows, and answers as they do:
// the first three refuse with HTTP 200 and a code in the body, and Teams accepts what its
// workflow then fails to post. What was accepted and what was refused can be read.
//
// Signatures go by the cloud's virtual time, other than those of API calls: an SDK signs by
// its machine's clock, but a poster takes the time from the Date header of the cloud's
// answers, which is virtual here, and the robots' limits count virtual time too. Answers of
// robots have that Date as well.
//
// Facts, where no other source is named: open.dingtalk.com, custom robots;
// open.larkoffice.com, custom bots; developer.work.weixin.qq.com, paths 91770 and 99110;
// docs.slack.dev, incoming webhooks and Block Kit; learn.microsoft.com, incoming webhooks
// and the Teams connector; adaptivecards.io. Answers of the robots in public bug reports gave
// the words of their messages.
package robots

package policy_test

import (
	"fmt"
	"strings"

	"fleetwarden/shared/policy"
)

// file is a policy file for several tests; want is the loader's error, empty
// for a good one.
type file struct {
	name, file, want string
	// alone marks a mistake that only the loader can see: the JSON Schema
	// takes the file, or never sees it as YAML does.
	alone bool
}

// with puts lines under the version.
func with(lines string) string { return "version: 1\n" + lines }

// control puts a line into a control.
func control(name, line string) string { return with("controls:\n  " + name + ":\n    " + line + "\n") }

// exemption is a good exemption with lines changed: each edit is "old→new".
func exemption(edits ...string) string {
	good := `exemptions:
  - control: instance-role
    rule: over-broad-role
    instances: [i-1]
    owner: ops
    reason: moving
    expires: 2027-01-31
`
	for _, edit := range edits {
		before, after, _ := strings.Cut(edit, "→")
		good = strings.Replace(good, before, after, 1)
	}
	return with(good)
}

// channel is a file with one channel, from line 5 on.
func channel(lines ...string) string {
	return with("notify:\n  channels:\n    ops:\n      " + strings.Join(lines, "\n      ") + "\n")
}

// robot is a channel that needs no more.
const robot = "{type: wecom, secret: fleetwarden-ops}"

// channels is a file with n channels.
func channels(n int) string {
	file := with("notify:\n  channels:\n")
	for i := range n {
		file += fmt.Sprintf("    c%d: %s\n", i, robot)
	}
	return file
}

var goodFiles = []file{
	{name: "version alone", file: "version: 1"},
	{name: "JSON", file: `{"version": 1, "regions": "auto"}`},
	{name: "a number written as a float", file: "version: 1.0"},
	{name: "explicit start and end", file: "---\nversion: 1\n...\n"},
	{name: "windows line ends", file: "version: 1\r\nregions: auto\r\n"},
	{name: "empty lists where they mean none", file: with("accounts: []\nselfManaged: []\nexemptions: []")},
	{name: "empty mappings where they mean defaults", file: with("controls: {agent: {}}\nlimits: {}\nsinks: {}\npacing: {calls: {}}")},
	{name: "quoted and bare account ids", file: with(`accounts: [{id: "12"}, {id: 13}]`)},
	{name: "an id with a leading zero", file: with(`accounts: [{id: "012"}]`)},
	{name: "a directory", file: with("directory: {role: FleetwardenMember}")},
	{name: "a selector of an account of the directory", file: with("accounts: [{id: 1}]\ndirectory: {role: R}\nselfManaged: [{accounts: [2]}]")},
	{name: "finance and gov regions", file: with("regions: [cn-shanghai-finance-1, cn-north-2-gov-1, us-east-1]")},
	{name: "a date in quotes", file: exemption(`2027-01-31→"2027-01-31"`)},
	{name: "a leap day", file: exemption("2027-01-31→2028-02-29")},
	{name: "an exemption of a whole control", file: exemption("    rule: over-broad-role\n→")},
	{name: "an exemption by selector", file: exemption("instances: [i-1]→tags: {team: a}")},
	{name: "an exemption of a share role", file: exemption("instance-role→share-role", "over-broad-role→take-back", "instances: [i-1]→accounts: [1]")},
	{name: "an exemption of failed shares in a region", file: exemption("instance-role→share-role", "over-broad-role→failed-share", "instances: [i-1]→regions: [cn-beijing]")},
	{name: "an exemption of denied launches", file: exemption("instance-role→trusted-instance", "over-broad-role→denied-launch", "instances: [i-1]→accounts: [1]\n    regions: [cn-beijing]")},
	{name: "a reason of two lines", file: exemption("moving→|\n      one\n      two")},
	{name: "words of another script", file: exemption("moving→移行中")},
	{name: "a zero duration", file: control("instanceRole", "attachAfter: 0s")},
	{name: "a tag with an empty value", file: control("agent", `include: [{tags: {env: ""}}]`)},
	{name: "a tag that looks like a date", file: control("agent", "include: [{tags: {until: 2027-01-31}}]")},
	{name: "limits at their bounds", file: with("limits: {maxChanges: 0, maxPercent: 100, perPass: 1000000}")},
	{name: "a share role scope of accounts", file: control("shareRole", "exclude: [{accounts: [1]}]")},
	{name: "a region selector when regions are auto", file: control("agent", "exclude: [{regions: [cn-beijing]}]")},
	{name: "a part enforced beside audit", file: control("agent", "mode: audit\n    enforceFor: [{tags: {env: canary}}, {regions: [cn-beijing]}]")},
	{name: "a part enforced without a mode, which is audit", file: control("agent", "enforceFor: [{tags: {env: canary}}]")},
	{name: "an empty list, which enforces nothing", file: control("agent", "mode: audit\n    enforceFor: []")},
	{name: "an account of the share role enforced", file: control("shareRole", "enforceFor: [{accounts: [1]}]")},
	{name: "nothing to notify", file: with("notify: {channels: {}}")},
	{name: "a zone alone", file: with("notify: {zone: America/Argentina/Buenos_Aires}")},
	{name: "as many channels as there may be", file: channels(20)},
	{name: "a robot", file: channel("type: dingtalk", "secret: fleetwarden-ops/robot.1", "least: critical", "digest: false", "changes: true", "lang: ja")},
	{name: "a robot's variable", file: channel("type: feishu", "secret: env:FEISHU_HOOK")},
	{name: "a webhook of our own networks", file: channel("type: webhook", "secret: fleetwarden-hook", "networks: [10.0.0.0/8, 172.31.0.0/16, 192.168.7.8/32, \"fd12:3456::/32\"]")},
	{name: "a webhook on the Internet", file: channel("type: webhook", "secret: fleetwarden-hook", "networks: []")},
	{name: "a list of mail addresses", file: channel("type: mail", "from: guard@mail.example.com", "to: [ops+fleet@example.com, a@b.c]")},
	{name: "quiet hours of one day", file: channel("type: slack", "secret: fleetwarden-ops", `quiet: "12:00-13:30"`)},
	{name: "a channel of an account of the directory", file: with("accounts: [{id: 1}]\ndirectory: {role: R}\nnotify: {channels: {ops: {type: teams, secret: fleetwarden-s, accounts: [2], controls: [deployment]}}}")},
	{name: "the same id approved and ours", file: with("accounts: [{id: 1}]\ncontrols: {shareRole: {approved: {accounts: [{id: 1}]}}}")},
}

// pasted is the answer to a URL in place of a secret's name.
const pasted = "p.yaml:6:15: notify.channels.ops.secret: a policy has no secrets: this looks like a URL; store it in KMS of the home region, and write the name of that secret here; have the URL replaced if others can read the file"

var badFiles = []file{
	{name: "nothing", file: "", alone: true, want: "p.yaml:1:1: the file is empty; it starts with version: 1"},
	{name: "a comment", file: "# later\n", alone: true, want: "p.yaml:1:1: the file is empty; it starts with version: 1"},
	{name: "null", file: "~", want: "p.yaml:1:1: want a mapping, found nothing"},
	{name: "a list", file: "- version: 1", want: "p.yaml:1:1: want a mapping, found a list"},
	{name: "no version", file: "regions: auto", want: "p.yaml:1:1: version is missing"},
	{name: "a later version", file: "version: 2", want: "p.yaml:1:10: version: this build reads version 1, found 2"},
	{name: "a version in quotes", file: `version: "1"`, want: `p.yaml:1:10: version: want a whole number, found "1"`},
	{name: "unknown key", file: with("acounts: []"), want: `p.yaml:2:1: acounts: unknown key; did you mean "accounts"?`},
	{name: "unknown key near nothing", file: with("colour: red"), want: "p.yaml:2:1: colour: unknown key"},
	{name: "unknown key in a control", file: control("instanceRole", "mod: audit"), want: `p.yaml:4:5: controls.instanceRole.mod: unknown key; did you mean "mode"?`},
	{name: "key that was removed", file: control("shareRole", "retryFailedShare: true"), want: "p.yaml:4:5: controls.shareRole.retryFailedShare: removed: Fleetwarden makes the grant and shares nothing itself; delete the key, and make the call that failed again"},
	{name: "rule that was removed", file: exemption("instance-role→share-role", "over-broad-role→lost-edit", "instances: [i-1]→accounts: [1]"), want: "p.yaml:4:11: exemptions[0].rule: the rule lost-edit was removed: edits of a role that were overwritten are not looked for any more; delete the exemption"},
	{name: "unknown key by case", file: control("instanceRole", "attachafter: 5m"), want: `p.yaml:4:5: controls.instanceRole.attachafter: unknown key; did you mean "attachAfter"?`},
	{name: "unknown control", file: control("instance-role", "mode: audit"), want: `p.yaml:3:3: controls.instance-role: unknown key; did you mean "instanceRole"?`},
	{name: "merge key", file: with("<<: {regions: auto}"), want: "p.yaml:2:1: <<: unknown key"},
	{name: "repeated key", file: with("regions: auto\nregions: auto"), alone: true, want: "p.yaml:3:1: regions: the key comes twice"},
	{name: "a key that is a list", file: with("[a]: b"), alone: true, want: "p.yaml:2:1: a key has to be a name"},
	{name: "unknown mode", file: control("agent", "mode: enforced"), want: `p.yaml:4:11: controls.agent.mode: want off, audit or enforce, found "enforced"; did you mean "enforce"?`},
	{name: "mode left empty", file: control("agent", "mode:"), want: "p.yaml:4:10: controls.agent.mode: want off, audit or enforce, found nothing"},
	{name: "mode is a list", file: control("agent", "mode: [audit]"), want: "p.yaml:4:11: controls.agent.mode: want off, audit or enforce, found a list"},
	{name: "yes for true", file: control("agent", "trustClient: yes"), want: `p.yaml:4:18: controls.agent.trustClient: want true or false, found "yes"`},
	{name: "number for text", file: with("homeRegion: 5"), want: "p.yaml:2:13: homeRegion: want a region id such as cn-hangzhou, found 5; put it in quotes"},
	{name: "not a region", file: with("homeRegion: Hangzhou"), want: `p.yaml:2:13: homeRegion: want a region id such as cn-hangzhou, found "Hangzhou"`},
	{name: "regions is a word", file: with("regions: all"), want: `p.yaml:2:10: regions: want auto or a list of regions, found "all"`},
	{name: "no regions", file: with("regions: []"), want: "p.yaml:2:10: regions: the list is empty"},
	{name: "bad account id", file: with("accounts: [{id: 10-1}]"), want: `p.yaml:2:17: accounts[0].id: want an account id, 1 to 32 digits, found "10-1"`},
	{name: "account id of 33 digits", file: with(`accounts: [{id: "` + strings.Repeat("1", 33) + `"}]`), want: `p.yaml:2:17: accounts[0].id: want an account id, 1 to 32 digits, found "` + strings.Repeat("1", 33) + `"`},
	{name: "account without id", file: with("accounts: [{name: x}]"), want: "p.yaml:2:12: accounts[0]: id is missing"},
	{name: "directory without role", file: with("directory: {}"), want: "p.yaml:2:12: directory: role is missing"},
	{name: "directory with a bad role", file: with("directory: {role: a/b}"), want: `p.yaml:2:19: directory.role: want the name of a RAM role, 1 to 64 letters, digits, dots and hyphens, found "a/b"`},
	{name: "account twice", file: with("accounts: [{id: 1}, {id: \"1\"}]"), alone: true, want: "p.yaml:2:26: accounts[1].id: 1 comes twice"},
	{name: "sharee twice", file: control("shareRole", "approved: {accounts: [{id: 1}, {id: 1, trust: ahead}]}"), alone: true, want: "p.yaml:4:41: controls.shareRole.approved.accounts[1].id: 1 comes twice"},
	{name: "region of 65 characters", file: with("homeRegion: cn-" + strings.Repeat("a", 62)), want: `p.yaml:2:13: homeRegion: want a region id such as cn-hangzhou, found "cn-` + strings.Repeat("a", 62) + `"`},
	{name: "account name over two lines", file: with(`accounts: [{id: 1, name: "a\nb"}]`), want: `p.yaml:2:26: accounts[0].name: want a line of text, found "a\nb"`},
	{name: "duration of two parts", file: control("instanceRole", "attachAfter: 1h30m"), want: `p.yaml:4:18: controls.instanceRole.attachAfter: want a duration such as 5m or 7d, found "1h30m"; one number, at most 9999, and one of d, h, m, s`},
	{name: "duration without unit", file: control("instanceRole", "attachAfter: 5"), want: "p.yaml:4:18: controls.instanceRole.attachAfter: want a duration such as 5m or 7d, found 5; one number, at most 9999, and one of d, h, m, s"},
	{name: "negative duration", file: control("agent", "deadline: -5m"), want: `p.yaml:4:15: controls.agent.deadline: want a duration such as 5m or 7d, found "-5m"; one number, at most 9999, and one of d, h, m, s`},
	{name: "percent over 100", file: with("limits: {maxPercent: 101}"), want: `p.yaml:2:22: limits.maxPercent: want 0 to 100, found "101"`},
	{name: "half a change", file: with("limits: {maxChanges: 1.5}"), want: "p.yaml:2:22: limits.maxChanges: want a whole number, found 1.5"},
	{name: "not a number", file: with("limits: {maxChanges: .nan}"), alone: true, want: "p.yaml:2:22: limits.maxChanges: want a whole number, found .nan"},
	{name: "infinitely many", file: with("limits: {maxChanges: .inf}"), alone: true, want: `p.yaml:2:22: limits.maxChanges: want 0 to 1000000, found ".inf"`},
	{name: "no calls at all", file: with("pacing: {callsPerInvocation: 0}"), want: `p.yaml:2:30: pacing.callsPerInvocation: want 1 to 1000000, found "0"`},
	{name: "an API that is none", file: with("pacing: {calls: {describe-instances: 5}}"), want: "p.yaml:2:18: pacing.calls.describe-instances: want the name of an API such as DescribeInstances as the key"},
	{name: "empty selector", file: control("agent", "include: [{}]"), want: "p.yaml:4:15: controls.agent.include[0]: selects nothing; say at least one of accounts, regions, resourceGroups, vpcs, tags, families or managed"},
	{name: "selector with an empty list", file: control("agent", "include: [{vpcs: []}]"), want: "p.yaml:4:22: controls.agent.include[0].vpcs: the list is empty"},
	{name: "selector with no tags", file: control("agent", "include: [{tags: {}}]"), want: "p.yaml:4:22: controls.agent.include[0].tags: the mapping is empty"},
	{name: "selector that is not in a list", file: control("agent", "include: {vpcs: [vpc-1]}"), want: "p.yaml:4:14: controls.agent.include: want a list, found a mapping"},
	{name: "tag value as a number", file: control("agent", "include: [{tags: {env: 1}}]"), want: "p.yaml:4:28: controls.agent.include[0].tags.env: want a tag value, up to 128 characters, or * for any, found 1; put it in quotes"},
	{name: "family with its prefix", file: control("agent", "include: [{families: [ecs.g7t]}]"), want: `p.yaml:4:27: controls.agent.include[0].families[0]: want a bare instance family such as g7t, found "ecs.g7t"`},
	{name: "unknown manager", file: control("agent", "include: [{managed: [asg]}]"), want: `p.yaml:4:26: controls.agent.include[0].managed[0]: want none, auto-scaling or ack, found "asg"; did you mean "ack"?`},
	{name: "selector of another's account", file: with("accounts: [{id: 1}]\nselfManaged: [{accounts: [2]}]"), alone: true, want: "p.yaml:3:27: selfManaged[0].accounts[0]: account 2 is not one of the policy's accounts"},
	{name: "selector of a region elsewhere", file: with("regions: [cn-hangzhou]\nselfManaged: [{regions: [cn-hangzou]}]"), alone: true, want: "p.yaml:3:26: selfManaged[0].regions[0]: region cn-hangzou is not one of the policy's regions"},
	{name: "share role scope of tags", file: control("shareRole", "include: [{tags: {a: b}}]"), want: "p.yaml:4:15: controls.shareRole.include[0]: selects nothing; say at least one of accounts\np.yaml:4:16: controls.shareRole.include[0].tags: unknown key"},
	{name: "a part enforced beside enforce", file: control("agent", "enforceFor: [{tags: {env: canary}}]\n    mode: enforce"), want: "p.yaml:4:17: controls.agent.enforceFor: it has a meaning beside mode: audit alone, and the mode is enforce; set mode: audit, or delete the key"},
	{name: "a part enforced beside off", file: control("instanceRole", "mode: \"off\"\n    enforceFor: [{tags: {env: canary}}]"), want: "p.yaml:5:17: controls.instanceRole.enforceFor: it has a meaning beside mode: audit alone, and the mode is off; set mode: audit, or delete the key"},
	{name: "nothing enforced beside enforce", file: control("trustedInstance", "mode: enforce\n    enforceFor: []"), want: "p.yaml:5:17: controls.trustedInstance.enforceFor: it has a meaning beside mode: audit alone, and the mode is enforce; set mode: audit, or delete the key"},
	{name: "a region of the share role enforced", file: control("shareRole", "enforceFor: [{regions: [cn-beijing]}]"), want: "p.yaml:4:18: controls.shareRole.enforceFor[0]: selects nothing; say at least one of accounts\np.yaml:4:19: controls.shareRole.enforceFor[0].regions: unknown key"},
	{name: "exemption without owner", file: exemption("    owner: ops\n→"), want: "p.yaml:3:5: exemptions[0]: owner is missing"},
	{name: "exemption without reason", file: exemption("    reason: moving\n→"), want: "p.yaml:3:5: exemptions[0]: reason is missing"},
	{name: "exemption without end", file: exemption("    expires: 2027-01-31\n→"), want: "p.yaml:3:5: exemptions[0]: expires is missing"},
	{name: "exemption of everything", file: exemption("    instances: [i-1]\n→"), want: "p.yaml:3:5: exemptions[0]: selects nothing; say at least one of accounts, regions, resourceGroups, vpcs, tags, families, managed or instances"},
	{name: "owner of blanks", file: exemption(`ops→"  "`), want: `p.yaml:6:12: exemptions[0].owner: want some words, up to 1000 characters, found "  "`},
	{name: "expiry that is no date", file: exemption("2027-01-31→next year"), want: `p.yaml:8:14: exemptions[0].expires: want a date such as 2027-01-31, found "next year"`},
	{name: "expiry on a day that is not", file: exemption("2027-01-31→2027-02-29"), want: `p.yaml:8:14: exemptions[0].expires: want a date such as 2027-01-31, found "2027-02-29"`},
	{name: "expiry with a time", file: exemption("2027-01-31→2027-01-31T12:00:00Z"), want: `p.yaml:8:14: exemptions[0].expires: want a date such as 2027-01-31, found "2027-01-31T12:00:00Z"`},
	{name: "exemption of a share role by instance", file: exemption("instance-role→share-role", "over-broad-role→take-back"), want: "p.yaml:3:5: exemptions[0]: instances selects nothing that take-back of share-role judges, which goes by accounts: the exemption would never work"},
	{name: "exemption of a share role by region", file: exemption("instance-role→share-role", "    rule: over-broad-role\n→", "instances: [i-1]→accounts: [1]\n    regions: [cn-beijing]"), want: "p.yaml:3:5: exemptions[0]: regions selects nothing that share-role judges, which goes by accounts: the exemption would never work"},
	{name: "exemption of denied launches by tag", file: exemption("instance-role→trusted-instance", "over-broad-role→denied-launch", "instances: [i-1]→tags: {team: a}"), want: "p.yaml:3:5: exemptions[0]: tags selects nothing that denied-launch of trusted-instance judges, which goes by accounts or regions: the exemption would never work"},
	{name: "exemption of KMS by family", file: exemption("instance-role→trusted-instance", "over-broad-role→kms-enabled", "instances: [i-1]→accounts: [1]\n    families: [g7t]"), want: "p.yaml:3:5: exemptions[0]: families selects nothing that kms-enabled of trusted-instance judges, which goes by accounts or regions: the exemption would never work"},
	{name: "rule of another control", file: exemption("over-broad-role→imds"), want: "p.yaml:4:11: exemptions[0].rule: instance-role has no rule imds, only systrust-role or over-broad-role"},
	{name: "unknown rule", file: exemption("over-broad-role→over-broad-rule"), want: "p.yaml:4:11: exemptions[0].rule: want " + ruleWords + `, found "over-broad-rule"; did you mean "over-broad-role"?`},
	{name: "unknown type of channel", file: channel("type: dingding", "secret: fleetwarden-ops"), want: `p.yaml:5:13: notify.channels.ops.type: want dingtalk, feishu, wecom, slack, teams, webhook or mail, found "dingding"`},
	{name: "channel without a type", file: channel("secret: fleetwarden-ops"), want: "p.yaml:5:7: notify.channels.ops: type is missing"},
	{name: "robot without a secret", file: channel("type: slack"), want: "p.yaml:5:7: notify.channels.ops: secret is missing, which a channel of type slack needs"},
	{name: "mail without addresses", file: channel("type: mail"), want: "p.yaml:5:7: notify.channels.ops: from is missing, which a channel of type mail needs\np.yaml:5:7: notify.channels.ops: to is missing, which a channel of type mail needs"},
	{name: "mail with a secret", file: channel("type: mail", "from: a@b.c", "to: [d@e.f]", "secret: fleetwarden-ops"), want: "p.yaml:8:15: notify.channels.ops.secret: a channel of type mail has none; delete the key"},
	{name: "robot with a sender", file: channel("type: slack", "secret: fleetwarden-ops", "from: a@b.c"), want: "p.yaml:7:13: notify.channels.ops.from: a channel of type slack has none; delete the key"},
	{name: "robot in a network", file: channel("type: slack", "secret: fleetwarden-ops", "networks: [10.0.0.0/8]"), want: "p.yaml:7:17: notify.channels.ops.networks: a channel of type slack has none; delete the key"},
	{name: "mail to no one", file: channel("type: mail", "from: a@b.c", "to: []"), want: "p.yaml:7:11: notify.channels.ops.to: the list is empty"},
	{name: "mail to too many", file: channel("type: mail", "from: a@b.c", "to: ["+strings.Repeat("d@e.f, ", 101)+"]"), want: "p.yaml:7:11: notify.channels.ops.to: it has 101 elements, and may have 100"},
	{name: "mail to a name", file: channel("type: mail", "from: a@b.c", `to: ["Ops <ops@example.com>"]`), want: `p.yaml:7:12: notify.channels.ops.to[0]: want a mail address such as ops@example.com, found "Ops <ops@example.com>"`},
	{name: "too many channels", file: channels(21), want: "p.yaml:4:5: notify.channels: it has 21 elements, and may have 20"},
	{name: "channel with a long name", file: with("notify: {channels: {" + strings.Repeat("a", 33) + ": " + robot + "}}"), want: "p.yaml:2:21: notify.channels." + strings.Repeat("a", 33) + ": want a name of up to 32 letters, digits and hyphens as the key"},
	{name: "channel with a path as its name", file: with("notify: {channels: {../x: " + robot + "}}"), want: "p.yaml:2:21: notify.channels.../x: want a name of up to 32 letters, digits and hyphens as the key"},
	{name: "unknown key of a channel", file: channel("type: wecom", "secret: fleetwarden-ops", "langs: zh"), want: `p.yaml:7:7: notify.channels.ops.langs: unknown key; did you mean "lang"?`},
	{name: "unknown language", file: channel("type: wecom", "secret: fleetwarden-ops", "lang: cn"), want: `p.yaml:7:13: notify.channels.ops.lang: want en, zh or ja, found "cn"; did you mean "en"?`},
	{name: "channel of another's account", file: with("accounts: [{id: 1}]\nnotify: {channels: {ops: {type: wecom, secret: fleetwarden-ops, accounts: [2]}}}"), alone: true, want: "p.yaml:3:76: notify.channels.ops.accounts[0]: account 2 is not one of the policy's accounts"},
	{name: "channel of no accounts", file: channel("type: wecom", "secret: fleetwarden-ops", "accounts: []"), want: "p.yaml:7:17: notify.channels.ops.accounts: the list is empty"},
	{name: "channel of an unknown control", file: channel("type: wecom", "secret: fleetwarden-ops", "controls: [instanceRole]"), want: `p.yaml:7:18: notify.channels.ops.controls[0]: want agent, instance-role, share-role, trusted-instance or deployment, found "instanceRole"; did you mean "instance-role"?`},
	{name: "quiet hours of twelve", file: channel("type: wecom", "secret: fleetwarden-ops", "quiet: 7:00-22:00"), want: `p.yaml:7:14: notify.channels.ops.quiet: want hours such as 22:00-07:00, found "7:00-22:00"; two times of 24 hours a day`},
	{name: "quiet until 24:00", file: channel("type: wecom", "secret: fleetwarden-ops", "quiet: 22:00-24:00"), want: `p.yaml:7:14: notify.channels.ops.quiet: want hours such as 22:00-07:00, found "22:00-24:00"; two times of 24 hours a day`},
	{name: "quiet hours without an end", file: channel("type: wecom", "secret: fleetwarden-ops", "quiet: 22"), want: "p.yaml:7:14: notify.channels.ops.quiet: want hours such as 22:00-07:00, found 22; put it in quotes"},
	{name: "quiet all day", file: channel("type: wecom", "secret: fleetwarden-ops", "quiet: 07:00-07:00"), alone: true, want: "p.yaml:7:14: notify.channels.ops.quiet: 07:00-07:00 is not a part of the day; for no quiet hours delete the key"},
	{name: "zone that does not exist", file: with("notify: {zone: Mars/Base}"), alone: true, want: "p.yaml:2:16: notify.zone: Mars/Base is not a time zone; write one such as Asia/Shanghai, Europe/Berlin or UTC"},
	{name: "zone of the machine", file: with("notify: {zone: Local}"), alone: true, want: "p.yaml:2:16: notify.zone: Local is not a time zone; write one such as Asia/Shanghai, Europe/Berlin or UTC"},
	{name: "zone as an offset", file: with(`notify: {zone: "+08:00"}`), want: `p.yaml:2:16: notify.zone: want the IANA name of a time zone such as Asia/Shanghai, found "+08:00"`},
	{name: "network that is none", file: channel("type: webhook", "secret: fleetwarden-ops", "networks: [intranet]"), want: `p.yaml:7:18: notify.channels.ops.networks[0]: want a network such as 10.1.0.0/16, found "intranet"`},
	{name: "network of a host", file: channel("type: webhook", "secret: fleetwarden-ops", "networks: [10.1.2.3/16]"), alone: true, want: "p.yaml:7:18: notify.channels.ops.networks[0]: 10.1.2.3/16 is not a private network in its usual form; write 10.1.0.0/16"},
	{name: "network 8.8.8.0 of 24", file: channel("type: webhook", "secret: fleetwarden-ops", `networks: ["8.8.8.0/24"]`), alone: true, want: "p.yaml:7:18: notify.channels.ops.networks[0]: 8.8.8.0/24 is not a private network, within 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or fc00::/7"},
	{name: "network 0.0.0.0 of 0", file: channel("type: webhook", "secret: fleetwarden-ops", `networks: ["0.0.0.0/0"]`), alone: true, want: "p.yaml:7:18: notify.channels.ops.networks[0]: 0.0.0.0/0 is not a private network, within 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or fc00::/7"},
	{name: "network 10.0.0.0 of 7", file: channel("type: webhook", "secret: fleetwarden-ops", `networks: ["10.0.0.0/7"]`), alone: true, want: "p.yaml:7:18: notify.channels.ops.networks[0]: 10.0.0.0/7 is not a private network, within 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or fc00::/7"},
	{name: "network 172.32.0.0 of 16", file: channel("type: webhook", "secret: fleetwarden-ops", `networks: ["172.32.0.0/16"]`), alone: true, want: "p.yaml:7:18: notify.channels.ops.networks[0]: 172.32.0.0/16 is not a private network, within 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or fc00::/7"},
	{name: "network 169.254.0.0 of 16", file: channel("type: webhook", "secret: fleetwarden-ops", `networks: ["169.254.0.0/16"]`), alone: true, want: "p.yaml:7:18: notify.channels.ops.networks[0]: 169.254.0.0/16 is not a private network, within 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or fc00::/7"},
	{name: "network 127.0.0.0 of 8", file: channel("type: webhook", "secret: fleetwarden-ops", `networks: ["127.0.0.0/8"]`), alone: true, want: "p.yaml:7:18: notify.channels.ops.networks[0]: 127.0.0.0/8 is not a private network, within 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or fc00::/7"},
	{name: "network 100.64.0.0 of 10", file: channel("type: webhook", "secret: fleetwarden-ops", `networks: ["100.64.0.0/10"]`), alone: true, want: "p.yaml:7:18: notify.channels.ops.networks[0]: 100.64.0.0/10 is not a private network, within 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or fc00::/7"},
	{name: "network 100.100.100.200 of 32", file: channel("type: webhook", "secret: fleetwarden-ops", `networks: ["100.100.100.200/32"]`), alone: true, want: "p.yaml:7:18: notify.channels.ops.networks[0]: 100.100.100.200/32 is not a private network, within 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or fc00::/7"},
	{name: "network fe80:: of 10", file: channel("type: webhook", "secret: fleetwarden-ops", `networks: ["fe80::/10"]`), alone: true, want: "p.yaml:7:18: notify.channels.ops.networks[0]: fe80::/10 is not a private network, within 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or fc00::/7"},
	{name: "network ::1 of 128", file: channel("type: webhook", "secret: fleetwarden-ops", `networks: ["::1/128"]`), alone: true, want: "p.yaml:7:18: notify.channels.ops.networks[0]: ::1/128 is not a private network, within 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or fc00::/7"},
	{name: "network ::ffff:10.0.0.0 of 104", file: channel("type: webhook", "secret: fleetwarden-ops", `networks: ["::ffff:10.0.0.0/104"]`), alone: true, want: "p.yaml:7:18: notify.channels.ops.networks[0]: ::ffff:10.0.0.0/104 is not a private network, within 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or fc00::/7"},
	{name: "network 10.0.0 of 8", file: channel("type: webhook", "secret: fleetwarden-ops", `networks: ["10.0.0/8"]`), alone: true, want: "p.yaml:7:18: notify.channels.ops.networks[0]: 10.0.0/8 is not a private network, within 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or fc00::/7"},
	{name: "network 10.0.0.0 of 33", file: channel("type: webhook", "secret: fleetwarden-ops", `networks: ["10.0.0.0/33"]`), alone: true, want: "p.yaml:7:18: notify.channels.ops.networks[0]: 10.0.0.0/33 is not a private network, within 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or fc00::/7"},
	{name: "network f:: of 7", file: channel("type: webhook", "secret: fleetwarden-ops", `networks: ["f::/7"]`), alone: true, want: "p.yaml:7:18: notify.channels.ops.networks[0]: f::/7 is not a private network, within 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or fc00::/7"},
	{name: "secret that is a number", file: channel("type: wecom", "secret: 5"), want: "p.yaml:6:15: notify.channels.ops.secret: want the name of a secret in KMS, fleetwarden-…, or env:VARIABLE; what is there is not shown, as it may be a secret itself"},
	{name: "secret with blanks", file: channel("type: wecom", "secret: SEC abc"), want: "p.yaml:6:15: notify.channels.ops.secret: want the name of a secret in KMS, fleetwarden-…, or env:VARIABLE; what is there is not shown, as it may be a secret itself"},
	{name: "secret that is a token", file: channel("type: wecom", "secret: 693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"), want: "p.yaml:6:15: notify.channels.ops.secret: want the name of a secret in KMS, fleetwarden-…, or env:VARIABLE; what is there is not shown, as it may be a secret itself"},
	{name: "secret that is a URL", file: channel("type: wecom", "secret: https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=K"), want: pasted},
	{name: "secret that is a URL without its scheme", file: channel("type: slack", "secret: hooks.slack.com/services/T/B/X"), want: pasted},
	{name: "anchor and alias", file: with("homeRegion: &r cn-hangzhou\nregions: [*r]"), alone: true, want: "p.yaml:2:13: an anchor; a policy has no aliases\np.yaml:3:11: an alias; write the value out"},
	{name: "explicit tag", file: with("homeRegion: !!str cn-hangzhou"), alone: true, want: "p.yaml:2:13: an explicit tag; a policy has none"},
	{name: "two documents", file: "version: 1\n---\nversion: 1\n", alone: true, want: "p.yaml:2:1: a second document; a policy is one document"},
	{name: "not YAML", file: with("regions: [auto"), alone: true, want: "p.yaml:2:1: not YAML: did not find expected ',' or ']'"},
	{name: "a tab for indent", file: "version: 1\nlimits:\n\tmaxChanges: 1\n", alone: true, want: "p.yaml:3:1: not YAML: found character that cannot start any token"},
	{name: "not UTF-8", file: with("homeRegion: \xff"), alone: true, want: "p.yaml:2:13: not UTF-8"},
	{name: "control character", file: with("homeRegion: a\x07"), alone: true, want: "p.yaml:2:14: control character U+0007"},
	{name: "control character above ASCII", file: with("homeRegion: a\u0080"), alone: true, want: "p.yaml:2:14: control character U+0080"},
	{name: "escaped control character", file: exemption(`moving→"a\eb"`), want: "p.yaml:7:13: exemptions[0].reason: want some words, up to 1000 characters, found \"a\\x1bb\""},
}

var ruleWords = func() string {
	var all []string
	for _, control := range []string{policy.ControlAgent, policy.ControlInstanceRole, policy.ControlShareRole, policy.ControlTrustedInstance} {
		all = append(all, policy.Rules(control)...)
	}
	return strings.Join(all[:len(all)-1], ", ") + " or " + all[len(all)-1]
}()

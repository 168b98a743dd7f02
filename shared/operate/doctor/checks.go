package doctor

import "slices"

// The checks without which nothing else can be asked.
const (
	settingsCheck    = "settings"
	credentialsCheck = "credentials"
)

// checkOf is the check of an id.
func checkOf(id string) Check {
	all := Checks()
	return all[slices.IndexFunc(all, func(c Check) bool { return c.ID == id })]
}

// The categories, in the order of cause.
const (
	caller    = "settings"
	account   = "account"
	services  = "services"
	ledgers   = "ledger"
	functions = "functions"
	rights    = "rights"
	delivery  = "events"
	queues    = "queues"
	fleets    = "fleet"
	notifying = "notify"
)

// Checks are all checks, in the order of cause.
func Checks() []Check {
	return []Check{
		{settingsCheck, caller, "the caller's policy file and variables can be read",
			"Without them it is not known where the deployment is, or what it is compared with. The functions have a policy of their own, and work.", settings},

		{credentialsCheck, account, "the credentials are those of the policy's home account",
			"With keys of another account the doctor examines the wrong cloud, and no function works with wrong ones.", credentials},
		{"clock", account, "this machine's clock agrees with the cloud's",
			"Calls that are signed with a wrong time are refused; 15 minutes are too much.", clock},

		{"services-active", services, "Function Compute, EventBridge and Simple Message Queue are activated",
			"What is not activated delivers nothing, and says so to no function.", servicesActive},
		{"service-linked-roles", services, "the service-linked roles exist",
			"Without them EventBridge and Function Compute deliver nothing; without AliyunServiceRoleForSas no agent is installed (InstallNotGranted).", serviceLinkedRoles},
		{"products-served", services, "the products that the controls need are served in each region",
			"Where a product is missing, what rests on it is neither found nor repaired.", productsServed},
		{"kms", services, "KMS is enabled",
			"Without KMS no encrypted disk is created, and no encrypted snapshot can be shared.", kmsEnabled},
		{"security-center", services, "Security Center has an edition that installs agents",
			"The control agent has nothing to install and no status to read.", securityCenter},
		{"trail", services, "a trail logs the write calls of each region",
			"ActionTrail's events reach EventBridge only while a trail logs: launches and shares stay unseen until the nightly sweep.", trails},

		{"ledger", ledgers, "the ledger can be read, and its bucket never had versioning",
			"Objects of the ledger are written once. OSS replaces them in a bucket with versioning, so that functions refuse to write, and change nothing.", ledgerSound},
		{"deployment-recorded", ledgers, "each deployed region has a record of its deployment",
			"Without one, what exists cannot be compared with what was deployed.", recorded},
		{"pauses", ledgers, "nothing is paused, and what was paused was not changed",
			"A pause that is forgotten leaves the fleet unrepaired; one that does not stop is no switch to rely on.", pausesObeyed},
		{"last-sweep", ledgers, "the last sweep began within 26 hours",
			"The sweep finds what events missed. Without it, nothing does.", lastSweep},

		{"functions-exist", functions, "each function exists",
			"A missing function misses its events.", functionsExist},
		{"functions-enabled", functions, "no function is stopped, and each may have an instance",
			"Function Compute's own switch, or a concurrency of 0, stops a function silently.", functionsEnabled},
		{"function-code", functions, "each function runs the code that was deployed",
			"Other code with the function's role can do all that the role may.", functionCode},
		{"function-settings", functions, "the settings of each function are those that were deployed",
			"A changed role, environment, time-out or log destination changes what the function can do, and where it says so.", functionSettings},
		{"policy", functions, "all regions have the caller's policy file",
			"The functions judge by the policy in their packages, not by the file at hand.", policyDeployed},
		{"instances-left", functions, "the account's limit of instances leaves room for others",
			"Reserved instances are taken from the account's limit; what is left is for all other functions.", instancesLeft},
		{"last-pass", functions, "the functions with a timer have passed since it came",
			"A timer that wakes nothing, or a function that never ends, is silent.", lastPass},

		{"role-policies", rights, "the roles have the policies of deploy/ram",
			"Less is a function that fails at work; more is a hole.", rolePolicies},
		{"platform-rights", rights, "each function's role may write logs and dead letters",
			"Function Compute writes both with the function's role: without the rights, failures leave no trace.", platformRights},

		{"triggers", delivery, "the triggers exist, enabled, as they were deployed",
			"A trigger that is disabled or edited wakes its function no more, or with other events.", triggers},
		{"event-rules", delivery, "the event rules exist, enabled, as they were deployed",
			"A rule that is disabled or edited fills its inbox no more, or with other events.", eventRules},
		{"event-patterns", delivery, "EventBridge delivers our samples by the deployed patterns",
			"A pattern that matches nothing looks like one that waits.", eventPatterns},

		{"queues-exist", queues, "each inbox exists and has its dead letters",
			"What is sent to a missing queue is lost; without dead letters, what fails is.", queuesExist},
		{"queues-drained", queues, "no message waits in an inbox for longer than an hour",
			"What waits is not checked; a queue that only grows has no reader.", queuesDrained},
		{"dead-letters", queues, "there are no dead letters",
			"A dead letter is an event or a check that no function took to its end.", deadLetters},

		{"regions-deployed", fleets, "each guarded region has a deployment",
			"Without one, a region is judged by the nightly sweep alone, and nothing is repaired there.", regionsDeployed},
		{"members", fleets, "the accounts of the policy can be reached, with the rights of deploy/ram/member",
			"An account that cannot be reached is neither judged nor repaired.", members},
		{"commands", fleets, "the Cloud Assistant commands exist",
			"push-agent may run these commands and no others.", commands},

		{"notify", notifying, "each channel of the policy has the secret that it names",
			"What is to be sent to a channel without its secret reaches no one, and is a dead letter at once.", channelsReady},
	}
}

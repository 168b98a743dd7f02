package policy

import (
	"time"

	"fleetwarden/shared/fleet"
)

const day = 24 * time.Hour

// Default returns the policy that holds without a file: every control in
// audit, no account but the function's own (see [Policy.WithHome]). It is also
// what a file starts from: a key that is left out has its value here.
func Default() *Policy {
	audit := Control{Mode: Audit}
	p := &Policy{
		TrustedInstance: TrustedInstance{
			Control:     audit,
			Require:     RequireCandidates,
			Families:    confirmedFamilies(),
			SystemDisk:  []string{"cloud_essd"},
			Consequence: ConsequenceNone,
			Grace:       day,
		},
		InstanceRole: InstanceRole{
			Control:       audit,
			Role:          SystrustRole,
			Policy:        PolicyLeast,
			Conflict:      ConflictReport,
			AttachAfter:   5 * time.Minute,
			WarnOverBroad: true,
		},
		Agent: Agent{
			Control:     audit,
			Push:        PushCommands,
			Deadline:    time.Hour,
			TrustClient: true,
		},
		ShareRole: ShareRole{
			Control:       audit,
			TakeBack:      TakeBackReport,
			TakeBackAfter: 7 * day,
			KeyPolicy:     KeysInUse,
		},
		Limits: Limits{MaxChanges: 500, MaxPercent: 20, PercentAbove: 10, PerPass: 500},
		Pacing: Pacing{CallsPerInvocation: 1000},
		Sinks:  Sinks{Least: fleet.Low},
	}
	return p
}

// confirmedFamilies are the families whose support of the trusted system is
// published. Not each size of a family has it, and newer families may have it
// too: the list is the operator's to extend.
func confirmedFamilies() []Family {
	const (
		secured = "https://www.alibabacloud.com/help/en/ecs/user-guide/create-a-trusted-instance"
		api     = "https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-runinstances"
		read    = "2026-11-21"
	)
	return []Family{
		{"g6t", secured, read}, {"c6t", secured, read}, {"r6t", secured, read},
		{"g7t", api, read}, {"c7t", api, read}, {"r7t", api, read},
		{"g7", api, read}, {"c7", api, read}, {"r7", api, read},
	}
}

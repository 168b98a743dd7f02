package policy

import (
	"time"

	"fleetwarden/shared/fleet"
)

const day = 24 * time.Hour

// Default returns the policy without a file: every control in audit, no account but the
// function's own (see [Policy.WithHome]). It also has the defaults of omitted keys.
func Default() *Policy {
	p := defaults()
	p.Digest = digest(p.JSON())
	return p
}

func defaults() *Policy {
	audit := Control{Mode: Audit}
	return &Policy{
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
		Limits: Limits{MaxChanges: 500, MaxPercent: 20, PercentAbove: 10, MaxPerHour: 100, PerPass: 500},
		Pacing: Pacing{CallsPerInvocation: 1000},
		Sinks:  Sinks{Least: fleet.Low},
		Notify: Notify{Zone: defaultZone()},
	}
}

// confirmedFamilies are the families with published support of the trusted system. Not each
// size of a family has it, and newer families may have it too: the operator extends the
// list.
func confirmedFamilies() []Family {
	const (
		docs, docsDate = "AlibabaCloudDocs/ecs on GitHub: create a trusted instance", "2021-07-01"
		api, apiDate   = "alibabacloud-go/ecs-20140526 v7.9.2: RunInstances, SecurityOptions.TrustedSystemMode", "2026-07-16"
	)
	return []Family{
		{"g6t", docs, docsDate}, {"c6t", docs, docsDate}, {"r6t", docs, docsDate},
		{"g7t", api, apiDate}, {"c7t", api, apiDate}, {"r7t", api, apiDate},
		{"g7", api, apiDate}, {"c7", api, apiDate}, {"r7", api, apiDate},
	}
}

package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
)

// meet reads whose credentials these are. If that failed, nothing else can be asked, and it
// returns which check says so, and its answer.
func (x *examination) meet(ctx context.Context) (check string, broken *answer) {
	if x.Account == nil {
		return settingsCheck, new(settings(ctx, x))
	}
	account, err := read(ctx, x, x.Account)
	if err == nil {
		x.account = account
		return "", nil
	}
	p := Problem{Result: Fail, Says: "the account of the credentials could not be read: " + short(err),
		Mend: "check the credentials: aliyun sts GetCallerIdentity has to answer; then their profile (--profile) or the environment"}
	switch {
	case skewed(fleet.CodeOf(err)):
		p.Says = "the cloud refuses the time of this machine: " + short(err)
		p.Mend = "set this machine's clock, such as with: sudo timedatectl set-ntp true"
	case fleet.ClassOf(err) == fleet.Unavailable || fleet.ClassOf(err) == fleet.Canceled:
		if fleet.ClassOf(err) == fleet.Canceled {
			p.Says = "the account of the credentials was not read in time"
		}
		p.Mend = "check the network: aliyun sts GetCallerIdentity has to answer; then ALIBABA_CLOUD_ENDPOINT_URL, if it is set"
	}
	return credentialsCheck, &answer{problems: one(p)}
}

func settings(_ context.Context, x *examination) answer {
	if x.Settings == nil {
		return answer{says: "all of them"}
	}
	p := Problem{Result: Fail, ID: settingsCheck, Says: short(x.Settings), Mend: "correct what the message names; then run it again"}
	if x.Account != nil {
		p.Says += fmt.Sprintf("; the rest is examined as without a policy file, and %s is taken for the home region", x.Home)
	}
	return answer{problems: one(p)}
}

// skewed reports whether a product's code refuses the time of a request.
func skewed(code string) bool {
	return strings.HasPrefix(code, "InvalidTimeStamp") || strings.HasPrefix(code, "IllegalTimestamp") ||
		code == "RequestTimeTooSkewed" || code == "TimeExpired"
}

func credentials(ctx context.Context, x *examination) answer {
	a := answer{says: "account " + string(x.account)}
	var home []string
	for _, o := range x.Policy.Accounts {
		if o.Role == "" {
			home = append(home, string(o.ID))
		}
	}
	if len(home) > 0 && !slices.Contains(home, string(x.account)) {
		a.add(Problem{Result: Fail, ID: string(x.account),
			Says: fmt.Sprintf("the credentials are of account %s, and the policy's home account is %s", x.account, strings.Join(home, " or ")),
			Mend: "use credentials of account " + home[0] + ", such as by --profile"})
	}
	if r, ok := x.newest(ctx); ok && r.Account != x.account {
		a.add(Problem{Result: Fail, ID: string(x.account),
			Says: fmt.Sprintf("the credentials are of account %s, and the ledger is that of account %s", x.account, r.Account),
			Mend: fmt.Sprintf("use credentials of account %s, such as by --profile", r.Account)})
	}
	return a
}

const (
	skew    = time.Minute      // worth a warning
	refused = 10 * time.Minute // soon refused: at 15
)

func clock(_ context.Context, x *examination) answer {
	if x.Local || x.Clock == nil {
		return answer{says: "not compared: a local cloud has a clock of its own"}
	}
	off := x.Clock().Sub(x.now())
	a := answer{says: "within a minute"}
	if off.Abs() <= skew {
		return a
	}
	p := Problem{Result: Warn, Says: fmt.Sprintf("this machine's clock differs from the cloud's by %v", off.Round(time.Second)),
		Mend: "set this machine's clock, such as with: sudo timedatectl set-ntp true"}
	if off.Abs() >= refused {
		p.Result = Fail
	}
	a.add(p)
	return a
}

package doctor

import (
	"context"
	"fmt"
	"strings"

	"fleetwarden/shared/deployment"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

func channelsReady(ctx context.Context, x *examination) answer {
	if len(x.Policy.Channels) == 0 {
		return answer{says: "no channels"}
	}
	return answer{says: fmt.Sprintf("%d of them", len(x.Policy.Channels)),
		problems: each(x.Policy.Channels, func(c policy.Channel) []Problem { return x.channel(ctx, c) })}
}

func (x *examination) channel(ctx context.Context, c policy.Channel) []Problem {
	p := Problem{Result: Fail, Region: x.Home, ID: c.Name}
	variable, isVariable := strings.CutPrefix(c.Secret, policy.EnvSecret)
	switch {
	case c.Type == policy.ChannelMail: // it is sent with the role of the function
		return nil
	case isVariable:
		return x.variable(ctx, p, variable)
	case x.Services.Absent("kms", x.Home):
		p.Says = fmt.Sprintf("channel %s: KMS, which is to have the secret %s, is not served in %s", c.Name, c.Secret, x.Home)
		p.Mend = fmt.Sprintf("name an environment variable of function %s, %sNAME, in the policy file, and deploy", fleet.CloudName(fleet.FunctionNotify), policy.EnvSecret)
		return one(p)
	}
	found, err := read(ctx, x, func(ctx context.Context) (bool, error) { return x.Secrets.HasSecret(ctx, x.Home, c.Secret) })
	switch {
	case err != nil:
		return one(unread("whether channel "+c.Name+" has its secret", x.Home, c.Name, err))
	case !found:
		p.Says = fmt.Sprintf("channel %s: KMS has no secret %s in %s", c.Name, c.Secret, x.Home)
		p.Mend = createSecret(c.Secret, x.Home)
		return one(p)
	}
	return nil
}

// createSecret is the command for a secret. It reads the text from the terminal, so that no
// history of a shell has it.
func createSecret(name string, region fleet.Region) string {
	return fmt.Sprintf(`read -rs SECRET && aliyun kms CreateSecret --SecretName %s --VersionId v1 --SecretData "$SECRET" --region %s`, name, region)
}

// variable judges a channel whose URL is in the environment of the function. That the function
// exists is another check.
func (x *examination) variable(ctx context.Context, p Problem, name string) []Problem {
	f := deployment.Function{Region: x.Home, Name: fleet.CloudName(fleet.FunctionNotify)}
	have, err := x.function(ctx, f)
	if err != nil {
		return one(unread(f.String(), x.Home, p.ID, err))
	}
	if have != nil && have.Settings["env."+name] == "" {
		p.Says = fmt.Sprintf("channel %s: %s has no environment variable %s", p.ID, f, name)
		p.Mend = fmt.Sprintf("add %s to environmentVariables of notify in s.yaml, such as %s: ${env('%s')}; then %s", name, name, name, x.deploy(x.Home))
		return one(p)
	}
	p.Result = Warn
	p.Says = fmt.Sprintf("channel %s: its URL is in the environment variable %s, which whoever has fc:GetFunction reads", p.ID, name)
	p.Mend = createSecret(fleet.CloudName(p.ID), x.Home) + "; then have the policy file name that secret, deploy, and take the variable out of s.yaml"
	return one(p)
}

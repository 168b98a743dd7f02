// Package agent executes the changes of control agent: it runs installations of Security
// Center's agent and of the trust client by Cloud Assistant, in batches, and refreshes
// Security Center's asset list. It also recognises the install scripts that user data may
// hold.
//
// An installation runs for minutes: a later check determines its result, and only the
// agent's status in Security Center proves success. The package decides nothing and knows
// no SDK. Install codes go into the command's parameters and nowhere else.
package agent

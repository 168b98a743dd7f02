// Package agent carries out what control agent decided: it has Cloud Assistant install
// Security Center's agent and the trust client, in batches, and makes Security Center
// look for new instances. It also tells the install scripts that user data may hold
// apart.
//
// An installation runs for minutes: what is started here is told by a later look, and
// only the agent's status in Security Center proves success. Nothing is decided here
// and no SDK is known here. Install codes go into the command's parameters and nowhere
// else.
package agent

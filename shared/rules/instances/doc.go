// Package instances decides the controls of instances: trusted-instance, instance-role and
// agent. Each rule passes the one gate of judge.
package instances

// Package instances decides the controls of instances: trusted-instance, instance-role and
// agent. Each rule passes the one gate of judge. Most
// tests are in the folder above.
package instances

package manifest

import (
	"cmp"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// checkAccess: "s" looks credentials up by the text of access before it resolves any
// variable, finds none, and fails at the first use of the account's id.
func checkAccess(n *yaml.Node) error {
	if access := child(n, "access"); access != n && strings.Contains(access.Value, "${") {
		return at(access, "access must be a name as it stands, such as default: \"s\" does not resolve it; \"s -a NAME\" uses another")
	}
	return nil
}

// pinned is the component with its exact version: another one deploys by other rules.
var pinned = regexp.MustCompile(`^fc3@[0-9]+\.[0-9]+\.[0-9]+$`)

func (m *Manifest) check(n *yaml.Node) error {
	if m.Edition != "3.0.0" {
		return at(child(n, "edition"), "edition must be 3.0.0, not %q", m.Edition)
	}
	if len(m.Resources) == 0 {
		return at(n, "no resources")
	}
	seen := map[string]bool{}
	for name, r := range m.Resources {
		node := child(n, "resources", name)
		if !pinned.MatchString(r.Component) {
			return at(child(node, "component"), "component %q is not supported here, only fc3 with its exact version, such as fc3@0.1.22", r.Component)
		}
		if err := r.Props.check(child(node, "props")); err != nil {
			return err
		}
		if seen[r.Props.FunctionName] {
			return at(node, "function %s is there twice", r.Props.FunctionName)
		}
		seen[r.Props.FunctionName] = true
		m.Resources[name] = r
	}
	return nil
}

// functionName as Function Compute takes it.
var functionName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,127}$`)

func (f *Function) check(n *yaml.Node) error {
	for _, r := range []struct{ key, value string }{
		{"region", f.Region}, {"functionName", f.FunctionName}, {"runtime", f.Runtime},
		{"handler", f.Handler}, {"code", f.Code}, {"role", f.Role},
	} {
		if r.value == "" {
			return at(n, "props lacks %s", r.key)
		}
	}
	if !functionName.MatchString(f.FunctionName) {
		return at(child(n, "functionName"), "%q is not a function name", f.FunctionName)
	}
	if f.Runtime != "go1" {
		return at(child(n, "runtime"), "runtime must be go1, not %q: the Go library works in no other", f.Runtime)
	}
	if f.InstanceConcurrency != nil {
		return at(child(n, "instanceConcurrency"), "instanceConcurrency: Function Compute 3.0 gives none to the runtime %s; an instance takes one event at a time", f.Runtime)
	}
	return cmp.Or(
		f.checkSizes(n), f.checkEnvironment(child(n, "environmentVariables")), f.checkLog(n),
		f.AsyncInvokeConfig.check(child(n, "asyncInvokeConfig")), f.checkTriggers(child(n, "triggers")),
	)
}

// checkSizes: the default timeout of 3 s is too short for anything here, so
// that it must be set.
func (f *Function) checkSizes(n *yaml.Node) error {
	switch {
	case f.Timeout < 1 || f.Timeout > 86400:
		return at(child(n, "timeout"), "timeout must be set, 1 to 86400 seconds")
	case f.MemorySize < 128 || f.MemorySize > 32768 || f.MemorySize%64 != 0:
		return at(child(n, "memorySize"), "memorySize is 128 to 32768 MB in steps of 64")
	case f.CPU != 0 && (f.CPU < 0.05 || f.CPU > 16):
		return at(child(n, "cpu"), "cpu is 0.05 to 16")
	case f.DiskSize != 0 && f.DiskSize != 512 && f.DiskSize != 10240:
		return at(child(n, "diskSize"), "diskSize is 512 or 10240 MB")
	case f.ConcurrencyConfig.ReservedConcurrency < 0:
		return at(child(n, "concurrencyConfig"), "reservedConcurrency must not be negative")
	}
	return nil
}

var environmentKey = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

// maxEnvironment is the most bytes of all keys and values together.
const maxEnvironment = 4 << 10

func (f *Function) checkEnvironment(n *yaml.Node) error {
	total := 0
	for i := 0; n.Kind == yaml.MappingNode && len(f.EnvironmentVariables) > 0 && i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		total += len(key.Value) + len(value.Value)
		switch {
		case value.Tag != "!!str":
			return at(value, "environment variable %s must be a string: quote it", key.Value)
		case !environmentKey.MatchString(key.Value):
			return at(key, "%q is not the name of an environment variable", key.Value)
		case strings.HasPrefix(strings.ToUpper(key.Value), "FC_"):
			return at(key, "%s: the prefix FC_ is reserved", key.Value)
		}
	}
	if total > maxEnvironment {
		return at(n, "the environment variables have %d bytes, allowed are %d", total, maxEnvironment)
	}
	return nil
}

// checkLog asks for a store of ours: "auto" is none, and without one no line is kept.
func (f *Function) checkLog(n *yaml.Node) error {
	l, node := f.LogConfig, child(n, "logConfig")
	switch {
	case l == nil || l.Project == "" || l.Logstore == "":
		return at(node, "logConfig must name a project and a logstore that stand before the deployment")
	case l.LogBeginRule != "None":
		return at(node, "logBeginRule must be None: a record is one line, and DefaultRegex splits at dates")
	}
	return nil
}

// check: three sources name three ranges of the age; the narrowest is taken.
func (a *Async) check(n *yaml.Node) error {
	switch {
	case a == nil:
		return nil
	case a.Qualifier != "LATEST":
		return at(n, "asyncInvokeConfig needs qualifier: LATEST; without it each later deployment sees a change, asks, and with no terminal deploys nothing")
	case a.MaxAsyncEventAgeInSeconds < 1 || a.MaxAsyncEventAgeInSeconds > 604800:
		return at(n, "maxAsyncEventAgeInSeconds must be set, 1 to 604800")
	case a.MaxAsyncRetryAttempts == nil || *a.MaxAsyncRetryAttempts < 0 || *a.MaxAsyncRetryAttempts > 8:
		return at(n, "maxAsyncRetryAttempts must be set, 0 to 8")
	}
	return nil
}

// maxStreamTimeout: EventBridge cuts synchronous deliveries at 5 minutes.
const maxStreamTimeout = 290

func (f *Function) checkTriggers(n *yaml.Node) error {
	seen := map[string]bool{}
	for i := range f.Triggers {
		t, node := &f.Triggers[i], n.Content[i]
		if t.Name == "" || seen[t.Name] {
			return at(node, "triggerName is missing or there twice")
		}
		seen[t.Name] = true
		if err := t.readConfig(node); err != nil {
			return err
		}
		stream := t.EventBridge != nil && t.EventBridge.EventSourceConfig.Type == "MNS"
		if stream && f.Timeout > maxStreamTimeout {
			return at(node, "a function fed by a stream needs a timeout of at most %d s, not %d", maxStreamTimeout, f.Timeout)
		}
		if stream && f.ConcurrencyConfig.ReservedConcurrency > 0 && t.EventBridge.RunOptions.RetryStrategy.PushRetryStrategy != "EXPONENTIAL_DECAY_RETRY" {
			return at(child(node, "triggerConfig", "runOptions", "retryStrategy"), "a stream whose function has reserved concurrency needs EXPONENTIAL_DECAY_RETRY: "+
				"it gets 429 for what comes beside the reserved instances, and BACKOFF_RETRY gives up within a minute")
		}
		if !stream && (f.AsyncInvokeConfig == nil || f.AsyncInvokeConfig.DestinationConfig.OnFailure == nil) {
			return at(node, "trigger %s invokes asynchronously: asyncInvokeConfig.destinationConfig.onFailure is missing", t.Name)
		}
	}
	return nil
}

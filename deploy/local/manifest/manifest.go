package manifest

import (
	"fmt"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

// Manifest is a resolved s.yaml.
type Manifest struct {
	Edition   string              `yaml:"edition"`
	Name      string              `yaml:"name"`
	Access    string              `yaml:"access"`
	Vars      map[string]any      `yaml:"vars"`
	Resources map[string]Resource `yaml:"resources"`
}

// Resource is one function of the manifest.
type Resource struct {
	Component string         `yaml:"component"`
	Actions   map[string]any `yaml:"actions"`
	Props     Function       `yaml:"props"`
}

// Function is the props of component fc3.
type Function struct {
	Region               string            `yaml:"region"`
	FunctionName         string            `yaml:"functionName"`
	Description          string            `yaml:"description"`
	Runtime              string            `yaml:"runtime"`
	Handler              string            `yaml:"handler"`
	Code                 string            `yaml:"code"`
	CPU                  float64           `yaml:"cpu"`
	MemorySize           int               `yaml:"memorySize"`          // MB
	DiskSize             int               `yaml:"diskSize"`            // MB
	Timeout              int               `yaml:"timeout"`             // s
	InstanceConcurrency  *int              `yaml:"instanceConcurrency"` // custom runtimes only
	InternetAccess       *bool             `yaml:"internetAccess"`
	EnvironmentVariables map[string]string `yaml:"environmentVariables"`
	Role                 string            `yaml:"role"`
	LogConfig            *Log              `yaml:"logConfig"`
	Tags                 []Tag             `yaml:"tags"`
	ConcurrencyConfig    Concurrency       `yaml:"concurrencyConfig"`
	AsyncInvokeConfig    *Async            `yaml:"asyncInvokeConfig"`
	Triggers             []Trigger         `yaml:"triggers"`
}

// Tag is a tag of a function.
type Tag struct {
	Key   string `yaml:"key"`
	Value string `yaml:"value"`
}

// Concurrency limits the invocations that run at the same time.
type Concurrency struct {
	ReservedConcurrency int `yaml:"reservedConcurrency"` // instances; 0 for no own limit
}

// Log is where the lines of a function go. fc3 also takes "auto" for it: a project and a
// store of its own making, without index, for good.
type Log struct {
	Project               string `yaml:"project"`
	Logstore              string `yaml:"logstore"`
	EnableRequestMetrics  bool   `yaml:"enableRequestMetrics"`
	EnableInstanceMetrics bool   `yaml:"enableInstanceMetrics"`
	LogBeginRule          string `yaml:"logBeginRule"`
}

// Async is how asynchronous invocations are retried and where they end.
type Async struct {
	// Qualifier is LATEST, always: fc3 reads the deployed configuration with its own
	// default put in, and takes its absence here for a change of which it asks.
	Qualifier                 string      `yaml:"qualifier"`
	AsyncTask                 bool        `yaml:"asyncTask"`
	MaxAsyncEventAgeInSeconds int         `yaml:"maxAsyncEventAgeInSeconds"`
	MaxAsyncRetryAttempts     *int        `yaml:"maxAsyncRetryAttempts"`
	DestinationConfig         Destination `yaml:"destinationConfig"`
}

// Destination is where the records of asynchronous invocations go.
type Destination struct {
	OnSuccess *Target `yaml:"onSuccess"`
	OnFailure *Target `yaml:"onFailure"`
}

// Target is an ARN.
type Target struct {
	Destination string `yaml:"destination"`
}

// Trigger is one trigger; exactly one of EventBridge and Timer is set.
type Trigger struct {
	Name        string    `yaml:"triggerName"`
	Type        string    `yaml:"triggerType"`
	Description string    `yaml:"description"`
	Qualifier   string    `yaml:"qualifier"`
	Config      yaml.Node `yaml:"triggerConfig"`

	EventBridge *EventBridge `yaml:"-"`
	Timer       *Timer       `yaml:"-"`
}

// Options say what the variables of a manifest stand for.
type Options struct {
	// Env looks up ${env('X')}; nil for the process's environment.
	Env func(name string) (string, bool)
	// Account is ${config('AccountID')}.
	Account string
}

// Load reads and checks the manifest at path. Files that it names are relative
// to it. Errors name file and line.
func Load(path string, o Options) (*Manifest, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the manifest: %w", err)
	}
	if o.Env == nil {
		o.Env = os.LookupEnv
	}
	m, err := parse(text, filepath.Dir(path), o)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return m, nil
}

func parse(text []byte, dir string, o Options) (*Manifest, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("line 1: it is not a YAML mapping")
	}
	if err := checkAccess(doc.Content[0]); err != nil {
		return nil, err
	}
	r := resolver{options: o, dir: dir, begun: map[*yaml.Node]bool{}}
	if err := r.resolve(doc.Content[0]); err != nil {
		return nil, err
	}
	m := &Manifest{}
	if err := decode(doc.Content[0], m); err != nil {
		return nil, err
	}
	return m, m.check(doc.Content[0])
}

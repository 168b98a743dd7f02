package fcapi

import "encoding/json"

// Config is what a function is given, in CreateFunction, UpdateFunction and GetFunction.
// A member that is nil was not given.
type Config struct {
	CPU                  *float64          `json:"cpu,omitempty"` // vCPU
	Description          *string           `json:"description,omitempty"`
	DisableOndemand      *bool             `json:"disableOndemand,omitempty"`
	DiskSize             *int              `json:"diskSize,omitempty"` // MB
	EnvironmentVariables map[string]string `json:"environmentVariables,omitempty"`
	Handler              *string           `json:"handler,omitempty"`
	InstanceConcurrency  *int              `json:"instanceConcurrency,omitempty"`
	InternetAccess       *bool             `json:"internetAccess,omitempty"`
	LogConfig            *LogConfig        `json:"logConfig,omitempty"`
	MemorySize           *int              `json:"memorySize,omitempty"` // MB
	Role                 *string           `json:"role,omitempty"`       // ARN
	Runtime              *string           `json:"runtime,omitempty"`
	Timeout              *int              `json:"timeout,omitempty"` // s

	// Kept and shown as they come; nothing here goes by them.
	CustomContainerConfig   json.RawMessage `json:"customContainerConfig,omitempty"`
	CustomDNS               json.RawMessage `json:"customDNS,omitempty"`
	CustomRuntimeConfig     json.RawMessage `json:"customRuntimeConfig,omitempty"`
	GPUConfig               json.RawMessage `json:"gpuConfig,omitempty"`
	InstanceLifecycleConfig json.RawMessage `json:"instanceLifecycleConfig,omitempty"`
	NASConfig               json.RawMessage `json:"nasConfig,omitempty"`
	OSSMountConfig          json.RawMessage `json:"ossMountConfig,omitempty"`
	TracingConfig           json.RawMessage `json:"tracingConfig,omitempty"`
	VPCConfig               json.RawMessage `json:"vpcConfig,omitempty"`
}

// LogConfig names the store of a function's logs.
type LogConfig struct {
	EnableInstanceMetrics *bool   `json:"enableInstanceMetrics,omitempty"`
	EnableRequestMetrics  *bool   `json:"enableRequestMetrics,omitempty"`
	LogBeginRule          *string `json:"logBeginRule,omitempty"`
	Logstore              *string `json:"logstore,omitempty"`
	Project               *string `json:"project,omitempty"`
}

// Tag is a tag of a function.
type Tag struct {
	Key   string `json:"Key"`
	Value string `json:"Value"`
}

// Layer is a layer of a function.
type Layer struct {
	Arn string `json:"arn"`
}

// InputCode is code as it is uploaded: a zip in Base64.
type InputCode struct {
	Checksum      string `json:"checksum,omitempty"` // CRC-64 of the zip, decimal
	OssBucketName string `json:"ossBucketName,omitempty"`
	OssObjectName string `json:"ossObjectName,omitempty"`
	ZipFile       string `json:"zipFile,omitempty"`
}

// UpdateInput is the body of UpdateFunction.
type UpdateInput struct {
	Config
	Code   *InputCode `json:"code,omitempty"`
	Layers []string   `json:"layers,omitempty"`
}

// CreateInput is the body of CreateFunction.
type CreateInput struct {
	UpdateInput
	FunctionName string `json:"functionName"`
	Tags         []Tag  `json:"tags,omitempty"`
}

// Function is a function as GetFunction shows it. Times are RFC 3339 in UTC.
type Function struct {
	Config
	CodeChecksum          string       `json:"codeChecksum"` // CRC-64 of the zip, decimal
	CodeSize              int64        `json:"codeSize"`     // bytes of the zip
	CreatedTime           string       `json:"createdTime"`
	FunctionArn           string       `json:"functionArn"`
	FunctionID            string       `json:"functionId"`
	FunctionName          string       `json:"functionName"`
	InvocationRestriction *Restriction `json:"invocationRestriction,omitempty"`
	LastModifiedTime      string       `json:"lastModifiedTime"`
	LastUpdateStatus      string       `json:"lastUpdateStatus"`
	Layers                []Layer      `json:"layers,omitempty"`
	State                 string       `json:"state"`
	Tags                  []Tag        `json:"tags,omitempty"`
}

// Restriction says that a function may not be invoked.
type Restriction struct {
	Disable          bool   `json:"disable"`
	LastModifiedTime string `json:"lastModifiedTime"`
	Reason           string `json:"reason,omitempty"`
}

// TriggerInput is the body of CreateTrigger.
type TriggerInput struct {
	Description    *string `json:"description,omitempty"`
	InvocationRole *string `json:"invocationRole,omitempty"`
	Qualifier      *string `json:"qualifier,omitempty"`
	SourceArn      *string `json:"sourceArn,omitempty"`
	TriggerConfig  *string `json:"triggerConfig,omitempty"` // JSON, as text
	TriggerName    *string `json:"triggerName,omitempty"`
	TriggerType    *string `json:"triggerType,omitempty"`
}

// TriggerUpdate is the body of UpdateTrigger.
type TriggerUpdate struct {
	Description    *string `json:"description,omitempty"`
	InvocationRole *string `json:"invocationRole,omitempty"`
	Qualifier      *string `json:"qualifier,omitempty"`
	TriggerConfig  *string `json:"triggerConfig,omitempty"`
}

// Trigger is a trigger as GetTrigger shows it.
type Trigger struct {
	CreatedTime      string `json:"createdTime"`
	Description      string `json:"description,omitempty"`
	InvocationRole   string `json:"invocationRole,omitempty"`
	LastModifiedTime string `json:"lastModifiedTime"`
	Qualifier        string `json:"qualifier"`
	SourceArn        string `json:"sourceArn,omitempty"`
	TargetArn        string `json:"targetArn"`
	TriggerConfig    string `json:"triggerConfig"`
	TriggerID        string `json:"triggerId"`
	TriggerName      string `json:"triggerName"`
	TriggerType      string `json:"triggerType"`
}

// AsyncInput is the body of PutAsyncInvokeConfig.
type AsyncInput struct {
	AsyncTask                 *bool         `json:"asyncTask,omitempty"`
	DestinationConfig         *Destinations `json:"destinationConfig,omitempty"`
	MaxAsyncEventAgeInSeconds *int64        `json:"maxAsyncEventAgeInSeconds,omitempty"`
	MaxAsyncRetryAttempts     *int64        `json:"maxAsyncRetryAttempts,omitempty"`
}

// Destinations take the records of asynchronous invocations.
type Destinations struct {
	OnFailure *Destination `json:"onFailure,omitempty"`
	OnSuccess *Destination `json:"onSuccess,omitempty"`
}

// Destination is an ARN.
type Destination struct {
	Destination string `json:"destination,omitempty"`
}

// AsyncConfig is what GetAsyncInvokeConfig shows.
type AsyncConfig struct {
	AsyncInput
	CreatedTime      string `json:"createdTime"`
	FunctionArn      string `json:"functionArn"`
	LastModifiedTime string `json:"lastModifiedTime"`
}

// Concurrency is what GetConcurrencyConfig shows.
type Concurrency struct {
	FunctionArn         string `json:"functionArn"`
	ReservedConcurrency int64  `json:"reservedConcurrency"`
}

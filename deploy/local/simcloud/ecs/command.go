package ecs

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"fleetwarden/deploy/local/simcloud/wire"
)

// command is a script that Cloud Assistant can run. It never changes.
type command struct {
	id, name, kind, description string
	content                     string // plain
	workingDir                  string
	timeout                     time.Duration
	custom                      bool // EnableParameter
	kept                        bool
	created                     time.Time
	tags                        tags
	invoked                     int
}

// Limits of Cloud Assistant, from the field comments of ecs-20140526 v7.9.2.
const (
	usualTimeout = time.Minute
	leastTimeout = 10 * time.Second
	mostTimeout  = 24 * time.Hour
	keptContent  = 18 << 10 // Base64, parameters included
	mostContent  = 24 << 10 // the same, of a command that is not kept
	mostParams   = 10
	mostCommands = 500 // that are kept in a region; assumed
)

// commandSpec is what CreateCommand and RunCommand say about a command.
type commandSpec struct {
	Name, Description, Type, WorkingDir string
	Content, Encoding                   string
	// Usual is the encoding that a missing or invalid Encoding stands for.
	Usual   string
	Timeout int64
	Custom  bool
}

// newCommand checks a command. The codes are in the error tables of
// CreateCommand and RunCommand, except CmdContent.DecodeError and
// InvalidParameter.Timeout, which are assumed.
func (s *Service) newCommand(in commandSpec) (*command, error) {
	content, err := contentOf(in)
	if err != nil {
		return nil, err
	}
	timeout, err := timeoutOf(in.Timeout, usualTimeout)
	if err != nil {
		return nil, err
	}
	switch {
	case !oneOf(in.Type, "RunShellScript", "RunPowerShellScript", "RunBatScript"):
		return nil, wire.Errorf(403, "InvalidCmdType.NotFound", "The specified command type does not exist.")
	case len(in.Name) > 128:
		return nil, wire.Errorf(403, "CmdName.ExceedLimit", "The length of the command name exceeds the upper limit.")
	case len(in.Description) > 512:
		return nil, wire.Errorf(403, "CmdDesc.ExceedLimit", "The length of the command description exceeds the upper limit.")
	case len(in.WorkingDir) > 200:
		return nil, invalid("InvalidParameter.WorkingDir", "The specified parameter WorkingDir is not valid.")
	}
	c := &command{
		id: s.w.NewID("c-"), name: in.Name, kind: in.Type, description: in.Description, content: content,
		workingDir: in.WorkingDir, timeout: timeout, custom: in.Custom, created: s.w.Clock.Now(),
	}
	return c, c.checkNames()
}

// contentOf decodes CommandContent. A missing or invalid encoding means PlainText to
// RunCommand, whose values are compared without regard to case, and Base64 to
// CreateCommand: field comments of both in ecs-20140526 v4.26.10.
func contentOf(in commandSpec) (string, error) {
	encoding := in.Usual
	for _, known := range []string{base64Encoded, plainText} {
		if strings.EqualFold(in.Encoding, known) {
			encoding = known
		}
	}
	if encoding != base64Encoded {
		return in.Content, nil
	}
	raw, err := base64.StdEncoding.DecodeString(in.Content)
	if err != nil {
		return "", wire.Errorf(403, "CmdContent.DecodeError", "The CommandContent can not be base64 decoded.")
	}
	return string(raw), nil
}

// Encodings of CommandContent.
const (
	plainText     = "PlainText"
	base64Encoded = "Base64"
)

func timeoutOf(seconds int64, usual time.Duration) (time.Duration, error) {
	d := time.Duration(seconds) * time.Second
	switch {
	case seconds == 0:
		return usual, nil
	case seconds < 0 || seconds > int64(mostTimeout/time.Second) || d < leastTimeout:
		return 0, invalid("InvalidParameter.Timeout", "The specified parameter Timeout is not valid: %d.", seconds)
	}
	return d, nil
}

var (
	marker    = regexp.MustCompile(`\{\{\s*(.*?)\s*\}\}`)
	paramName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
)

// names are the parameters that the content wants, without the built-in ones.
func (c *command) names() []string {
	if !c.custom {
		return nil
	}
	var names []string
	for _, m := range marker.FindAllStringSubmatch(c.content, -1) {
		if !strings.HasPrefix(m[1], "ACS::") {
			names = append(names, m[1])
		}
	}
	return unique(names)
}

// checkNames: codes of CreateCommand's error table.
func (c *command) checkNames() error {
	for _, n := range c.names() {
		switch {
		case n == "":
			return wire.Errorf(403, "CmdParam.EmptyKey", "You must specify the parameter names.")
		case len(n) > 64:
			return wire.Errorf(403, "CmdParamName.ExceedLimit", "The maximum length of a parameter name is exceeded.")
		case !paramName.MatchString(n):
			return wire.Errorf(403, "CmdParam.InvalidParamName", "Invalid parameter name %q.", n)
		}
	}
	return nil
}

// fits checks the size of content and parameters as they travel.
func (c *command) fits(parameters string, most int) error {
	if base64.StdEncoding.EncodedLen(len(c.content)+len(parameters)) > most {
		return wire.Errorf(403, "CmdContent.ExceedLimit", "The maximum length of a command is exceeded.")
	}
	return nil
}

// params reads the parameters of an invocation. The codes are in InvokeCommand's
// error table of 2025-12-09. That the rest of JSON's types is
// ParameterType.NotSupported is read into its name.
func (c *command) params(text string) (map[string]string, error) {
	text = cmp.Or(text, "{}")
	var given map[string]any
	if err := json.Unmarshal([]byte(text), &given); err != nil {
		return nil, invalid("InvalidParameter.Parameters", "The specified parameter Parameters is not valid.")
	}
	switch {
	case len(given) > 0 && !c.custom:
		return nil, invalid("Parameter.Disabled", "Parameters cannot be passed in when the command customization function is disabled.")
	case len(given) > mostParams:
		return nil, wire.Errorf(403, "ParameterCount.ExceedLimit", "The maximum number of parameters is exceeded.")
	}
	params := map[string]string{}
	for k, v := range given {
		value, ok := v.(string)
		switch {
		case len(k) > 64:
			return nil, wire.Errorf(403, "ParameterKey.ExceedLimit", "The maximum length of a parameter name is exceeded.")
		case !ok:
			return nil, wire.Errorf(403, "ParameterType.NotSupported", "The type of parameter value is not supported.")
		}
		params[k] = value
	}
	return params, c.match(params)
}

// match: all parameters that the command defines are given, and no others.
func (c *command) match(params map[string]string) error {
	names := c.names()
	for _, n := range names {
		if _, ok := params[n]; !ok {
			return invalid("Parameter.MissingValue", "The parameter value of this command is required: %s.", n)
		}
	}
	if len(params) > len(names) {
		return wire.Errorf(403, "Parameter.NotMatched", "The passed-in parameters do not match the parameters defined when you created the command.")
	}
	return nil
}

// render is the script that runs on an instance.
func (c *command) render(params, builtIn map[string]string) string {
	if !c.custom {
		return c.content
	}
	return marker.ReplaceAllStringFunc(c.content, func(m string) string {
		name := marker.FindStringSubmatch(m)[1]
		if v, ok := params[name]; ok {
			return v
		}
		return builtIn[name]
	})
}

// os is the system that the command is for.
func (c *command) os() string {
	if c.kind == "RunShellScript" {
		return "linux"
	}
	return windowsOS
}

// createCommand makes a command that is kept. The caller holds the mutex.
func (s *Service) createCommand(sp *space, in commandSpec) (*command, error) {
	c, err := s.newCommand(in)
	if err == nil {
		err = c.fits("", keptContent)
	}
	if err == nil {
		err = s.keep(sp, c)
	}
	return c, err
}

// keep puts a command into the space. The caller holds the mutex.
func (s *Service) keep(sp *space, c *command) error {
	if sp.commands.Len() >= mostCommands {
		// 403 CmdCount.ExceedQuota: error tables of CreateCommand and RunCommand.
		return wire.Errorf(403, "CmdCount.ExceedQuota", "The total number of commands in the current region exceeds the quota.")
	}
	c.kept = true
	sp.commands.Put(c.id, c)
	return nil
}

// CommandSpec is a command to seed. Content is plain text; {{name}} in it is a
// parameter.
type CommandSpec struct {
	Account, Region string // the world's first if empty
	Name, Type      string
	Content         string
	Description     string
	Timeout         int64 // seconds; 0 for 60
}

// SeedCommand creates a command, as a deployment does, and returns its id. It
// takes parameters if its content has markers.
func (s *Service) SeedCommand(in CommandSpec) (string, error) {
	return seed(s, in.Account, in.Region, func(sp *space) (string, error) {
		c, err := s.createCommand(sp, commandSpec{
			Name: in.Name, Description: in.Description, Type: in.Type, Content: in.Content, Usual: plainText,
			Timeout: in.Timeout, Custom: marker.MatchString(in.Content),
		})
		if err != nil {
			return "", fmt.Errorf("seeding command %s: %w", in.Name, err)
		}
		return c.id, nil
	})
}

package fcapi

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"fleetwarden/deploy/local/simcloud/wire"
)

// ListFunctionsRequest are the parameters of ListFunctions.
type ListFunctionsRequest struct {
	Prefix    string `param:"prefix"`
	Limit     int    `param:"limit"`
	NextToken string `param:"nextToken"`
	FcVersion string `param:"fcVersion"`
	Runtime   string `param:"runtime"`
	Tags      []Tag  `param:"tags"`
}

// ListFunctionsResponse is a page of functions.
type ListFunctionsResponse struct {
	Functions []Function `json:"functions"`
	NextToken string     `json:"nextToken,omitempty"`
}

// ListFunctions lists functions by name.
func (a *API) ListFunctions(c *wire.Call, in *ListFunctionsRequest) (*ListFunctionsResponse, error) {
	if in.FcVersion != "" && in.FcVersion != "v3" {
		return nil, invalid("fcVersion: simcloud has functions of v3 alone")
	}
	var names []string
	for k, f := range a.functions {
		if k.account == c.Caller.Account && k.region == c.Region && in.fits(f) {
			names = append(names, k.name)
		}
	}
	names, next, err := page(names, in.Prefix, in.NextToken, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &ListFunctionsResponse{Functions: []Function{}, NextToken: next}
	for _, n := range names {
		out.Functions = append(out.Functions, a.functions[key{c.Caller.Account, c.Region, n}].shown())
	}
	return out, nil
}

func (in *ListFunctionsRequest) fits(f *function) bool {
	for _, want := range in.Tags {
		if !slices.Contains(f.Function.Tags, want) {
			return false
		}
	}
	return in.Runtime == "" || in.Runtime == *f.Function.Runtime
}

// page cuts a page out of names: 20 by default, 100 at most. A token is the name that the
// page before ended with.
func page(names []string, prefix, token string, limit int) (out []string, next string, err error) {
	limit = cmp.Or(limit, 20)
	if limit < 1 || limit > 100 {
		return nil, "", invalid("limit is 1 to 100")
	}
	slices.Sort(names)
	for _, n := range names {
		if strings.HasPrefix(n, prefix) && n > token {
			out = append(out, n)
		}
	}
	if len(out) > limit {
		return out[:limit], out[limit-1], nil
	}
	return out, "", nil
}

// FunctionRequest names a function.
type FunctionRequest struct {
	FunctionName string `param:"functionName"`
}

// QualifiedRequest names a function and a version.
type QualifiedRequest struct {
	FunctionRequest
	Qualifier string `param:"qualifier"`
}

// GetFunction shows one function. Environment variables are in clear.
func (a *API) GetFunction(c *wire.Call, in *QualifiedRequest) (*Function, error) {
	f, err := a.find(c, in.FunctionName)
	if err != nil {
		return nil, err
	}
	out := f.shown()
	return &out, onlyLatest(in.Qualifier)
}

// CreateFunctionRequest is the request of CreateFunction.
type CreateFunctionRequest struct{ Body *CreateInput }

// CreateFunction makes a function and has it run.
func (a *API) CreateFunction(c *wire.Call, in *CreateFunctionRequest) (*Function, error) {
	if err := passRole(c, in.Body.Config); err != nil {
		return nil, err
	}
	if !validName.MatchString(in.Body.FunctionName) {
		return nil, invalid("functionName has up to 64 letters, digits, - and _, and begins with a letter or _")
	}
	if in.Body.Code == nil {
		return nil, invalid("code is missing")
	}
	tags, err := sorted(in.Body.Tags)
	if err != nil {
		return nil, invalid("%v", err)
	}
	if _, ok := a.functions[key{c.Caller.Account, c.Region, in.Body.FunctionName}]; ok {
		return nil, wire.Errorf(http.StatusConflict, "FunctionAlreadyExists", "function '%s' already exists", in.Body.FunctionName)
	}
	f := function{Deployment: Deployment{Account: c.Caller.Account, Region: c.Region}}
	f.Function.FunctionName, f.Function.Tags = in.Body.FunctionName, tags
	a.fill(&f.Deployment, a.now())
	return a.put(c, f, in.Body.UpdateInput)
}

// UpdateFunctionRequest is the request of UpdateFunction.
type UpdateFunctionRequest struct {
	FunctionRequest
	Body *UpdateInput
}

// UpdateFunction changes what it is given, and leaves the rest.
func (a *API) UpdateFunction(c *wire.Call, in *UpdateFunctionRequest) (*Function, error) {
	if err := passRole(c, in.Body.Config); err != nil {
		return nil, err
	}
	f, err := a.find(c, in.FunctionName)
	if err != nil {
		return nil, err
	}
	changed := *f
	changed.Function.LastModifiedTime = a.now()
	return a.put(c, changed, *in.Body)
}

// put changes f by what is given. The caller holds the mutex.
func (a *API) put(c *wire.Call, f function, in UpdateInput) (*Function, error) {
	overlay(&f.Function.Config, in.Config)
	f.Function.defaults()
	if err := f.Function.check(); err != nil {
		return nil, err
	}
	if in.Layers != nil {
		f.Function.Layers = nil
		for _, arn := range in.Layers {
			f.Function.Layers = append(f.Function.Layers, Layer{arn})
		}
	}
	if in.Code != nil {
		unpacked, err := in.Code.unpack(a.o.Dir)
		if err != nil {
			return nil, err
		}
		f.Code, f.Function.CodeChecksum, f.Function.CodeSize, f.zip = unpacked.dir, unpacked.checksum, unpacked.size, copyOf(unpacked.zip())
	}
	c.Refer("ACS::FC::Function", f.Function.FunctionName)
	out := f.shown()
	return &out, a.apply(f)
}

// passRole asks whether the caller may give the role to Function Compute, as the system
// policy AliyunFCFullAccess grants it.
func passRole(c *wire.Call, in Config) error {
	if in.Role == nil || *in.Role == "" {
		return nil
	}
	return c.Authorize("ram:PassRole", *in.Role, map[string]string{"acs:Service": "fc.aliyuncs.com"})
}

// DeleteFunction deletes a function that has no triggers any more.
func (a *API) DeleteFunction(c *wire.Call, in *FunctionRequest) (*wire.Raw, error) {
	f, err := a.find(c, in.FunctionName)
	if err != nil {
		return nil, err
	}
	if n := len(f.Triggers); n > 0 {
		return nil, wire.Errorf(http.StatusConflict, "FunctionNotEmpty", "function '%s' has %d triggers", in.FunctionName, n)
	}
	a.o.Platform.Withdraw(f.Region, in.FunctionName)
	delete(a.functions, key{f.Account, f.Region, in.FunctionName})
	return wire.NoContent(), nil
}

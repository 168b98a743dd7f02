package fcapi

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// validName is what a function or trigger may be called.
var validName = regexp.MustCompile(`^[A-Za-z_][-A-Za-z0-9_]{0,63}$`)

// standard are the runtimes without instance concurrency: Function Compute's page on
// runtimes. Custom ones, and containers, have it.
func standard(runtime string) bool {
	return !strings.HasPrefix(runtime, "custom")
}

// overlay sets the members of dst that src gives.
func overlay(dst *Config, src Config) {
	d, s := reflect.ValueOf(dst).Elem(), reflect.ValueOf(src)
	for i := range s.NumField() {
		if !s.Field(i).IsZero() {
			d.Field(i).Set(s.Field(i))
		}
	}
}

// defaults are what a function has whose creator did not say: 0.35 vCPU with 512 MB, and
// with other memory as much for each.
func (c *Config) defaults() {
	set(&c.MemorySize, 512)
	set(&c.CPU, max(math.Round(float64(*c.MemorySize)*0.35/512*20)/20, 0.05))
	set(&c.DiskSize, 512)
	set(&c.Timeout, 3)
	set(&c.InternetAccess, true)
	set(&c.Description, "")
	if c.EnvironmentVariables == nil {
		c.EnvironmentVariables = map[string]string{}
	}
}

func set[T any](p **T, v T) {
	if *p == nil {
		*p = &v
	}
}

// check compares with the limits page of FC 3.0: memory 128 MB to 32 GB in steps of 64,
// 0.05 to 16 vCPU in steps of 0.05, 1 to 4 GB a vCPU, disk 512 MB or 10 GB, a day at most,
// environment variables of 4 KB at most.
func (c *Config) check() error {
	for _, x := range []struct {
		name string
		bad  bool
	}{
		{"runtime", c.Runtime == nil || *c.Runtime == ""},
		{"handler", c.Handler == nil || *c.Handler == ""},
		{"memorySize", *c.MemorySize < 128 || *c.MemorySize > 32768 || *c.MemorySize%64 != 0},
		{"cpu", *c.CPU < 0.05 || *c.CPU > 16},
		{"diskSize", *c.DiskSize != 512 && *c.DiskSize != 10240},
		{"timeout", *c.Timeout < 1 || *c.Timeout > 86400},
		{"role", c.Role != nil && *c.Role != "" && !strings.HasPrefix(*c.Role, "acs:ram::")},
		{"environmentVariables", c.environment() > 4<<10},
	} {
		if x.bad {
			return invalid("%s is missing or out of its range", x.name)
		}
	}
	if c.InstanceConcurrency != nil && *c.InstanceConcurrency > 1 && standard(*c.Runtime) {
		return invalid("instanceConcurrency: runtime %s has none", *c.Runtime)
	}
	return c.ratio()
}

func (c *Config) ratio() error {
	gb := float64(*c.MemorySize) / 1024
	if per := gb / *c.CPU; per < 0.999 || per > 4.001 {
		return invalid("memory (GB) and cpu must be between 1:1 and 4:1, not %g", per)
	}
	return nil
}

// environment is the size of the variables in bytes.
func (c *Config) environment() int {
	n := 0
	for k, v := range c.EnvironmentVariables {
		n += len(k) + len(v)
	}
	return n
}

// sorted returns tags by key, and refuses two of one key and more than 20.
func sorted(tags []Tag) ([]Tag, error) {
	out := slices.Clone(tags)
	slices.SortFunc(out, func(a, b Tag) int { return strings.Compare(a.Key, b.Key) })
	for i, t := range out {
		if t.Key == "" || i > 0 && out[i-1].Key == t.Key {
			return nil, fmt.Errorf("tag key %q is empty or given twice", t.Key)
		}
	}
	if len(out) > 20 {
		return nil, fmt.Errorf("%d tags, 20 are allowed", len(out))
	}
	return out, nil
}

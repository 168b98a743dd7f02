package command

import (
	"context"
	"flag"
	"runtime/debug"
)

// VersionShown is the build of the tool.
type VersionShown struct {
	Type    string `json:"type"` // version
	Version string `json:"version"`
	// Revision and Time are those of the commit; Modified says that the tree had changes.
	Revision string `json:"revision,omitempty"`
	Time     string `json:"time,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
}

// Version shows what was built.
func Version() Command {
	return Command{Name: "version", About: "show the version of the tool", Long: "It calls nothing.", Bind: func(c *Call, _ *flag.FlagSet) Run {
		return func(context.Context, []string) error {
			return c.Show(built())
		}
	}}
}

// built is the build of the program that runs.
func built() VersionShown {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	v := VersionShown{Type: "version", Version: info.Main.Version, Go: info.GoVersion}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.time":
			v.Time = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

package clients

import (
	"encoding/json"
	"io/fs"
	"path"
	"strings"

	scripts "fleetwarden/deploy/commands"
	documents "fleetwarden/deploy/ram"
	"fleetwarden/events"
	"fleetwarden/shared/operate/doctor"
)

// Files are those of this build. They are embedded, so that none of them can be missing or
// broken in a program that was built: tests read each.
func Files() doctor.Files {
	f := doctor.Files{Roles: texts("*.json"), Optional: texts("optional/*.json"), Member: texts("member/policy.json")["policy"],
		Samples: map[string]string{}, Delivered: map[string][]string{}}
	for _, s := range events.Samples() {
		f.Samples[s.Name] = s.Text
		f.Delivered[s.Rule] = append(f.Delivered[s.Rule], s.Name)
	}
	var list struct{ Commands []struct{ Name string } }
	_ = json.Unmarshal(scripts.List, &list) // see above
	for _, c := range list.Commands {
		f.Commands = append(f.Commands, c.Name)
	}
	return f
}

// texts are the files of deploy/ram that fit a pattern, by their names without .json.
func texts(pattern string) map[string]string {
	out := map[string]string{}
	names, _ := fs.Glob(documents.Files, pattern) // see above
	for _, name := range names {
		text, _ := documents.Files.ReadFile(name)
		out[strings.TrimSuffix(path.Base(name), ".json")] = string(text)
	}
	return out
}

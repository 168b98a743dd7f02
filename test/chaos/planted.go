package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fleetwarden/deploy/local/stack"
)

// Planted is a small bug that was written to be found: a patch of the product, with words
// about it before. One that is known not to be found says why in a line that begins with
// "missed: ".
type Planted struct {
	Name   string `json:"name"`
	About  string `json:"about"`
	Missed string `json:"missed,omitempty"`
	path   string
}

// Verdict is what became of a planted bug.
type Verdict struct {
	Planted
	// Seed and Found are of the history that ended badly; none for a bug not found.
	Seed    uint64  `json:"seed,omitempty"`
	Found   string  `json:"found,omitempty"`
	Seeds   int     `json:"seeds"`
	Minutes float64 `json:"minutes"`
}

// ReadPlanted reads the patches of a folder, in order of their names.
func ReadPlanted(dir string) ([]Planted, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.patch"))
	if err != nil || len(paths) == 0 {
		return nil, errors.Join(err, fmt.Errorf("no patches in %s", dir))
	}
	slices.Sort(paths)
	var out []Planted
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("reading planted bugs: %w", err)
		}
		about, _, ok := strings.Cut(string(text), "diff --git ")
		if !ok || strings.TrimSpace(about) == "" {
			return nil, fmt.Errorf("%s: words about the bug, then its diff", path)
		}
		p := Planted{Name: strings.TrimSuffix(filepath.Base(path), ".patch"), path: path}
		for line := range strings.Lines(strings.TrimSpace(about)) {
			line = strings.TrimSpace(line)
			if why, missed := strings.CutPrefix(line, "missed: "); missed {
				p.Missed = why
			} else {
				p.About = strings.TrimSpace(p.About + " " + line)
			}
		}
		out = append(out, p)
	}
	return out, nil
}

// planted plays fresh seeds against each planted bug, until one finds it or its time is up.
// It fails if one is not found that is not marked.
func planted(ctx context.Context, o options, only string) error {
	all, err := ReadPlanted(filepath.Join(o.root, "test", "chaos", "planted"))
	if err != nil {
		return err
	}
	if err := command(ctx, o.root, "git", "diff", "--quiet"); err != nil {
		return fmt.Errorf("bugs are planted into what git has: git add your changes first: %w", err)
	}
	dir, err := os.MkdirTemp("", "fleetwarden-planted-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	garden := filepath.Join(dir, "tree")
	if err := copyTree(ctx, o.root, garden); err != nil {
		return err
	}
	var verdicts []Verdict
	var lost []string
	for _, p := range all {
		if only != "" && !strings.Contains(p.Name, only) {
			continue
		}
		v, err := hunt(ctx, o, p, garden, filepath.Join(dir, "bin"))
		if err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
		verdicts = append(verdicts, v)
		v.print(os.Stdout)
		if v.Seed == 0 && p.Missed == "" {
			lost = append(lost, p.Name)
		}
	}
	text, err := json.MarshalIndent(verdicts, "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(o.out, "planted.json"), append(text, '\n'), 0o644)
	}
	found := len(slices.DeleteFunc(slices.Clone(verdicts), func(v Verdict) bool { return v.Seed == 0 }))
	fmt.Printf("%d of %d planted bugs were found\n", found, len(verdicts))
	if len(lost) > 0 {
		err = errors.Join(err, fmt.Errorf("not found: %s", strings.Join(lost, ", ")))
	}
	return err
}

func (v Verdict) print(w io.Writer) {
	switch {
	case v.Seed != 0:
		fmt.Fprintf(w, "%s: found by seed %d in %.1f minutes, %d histories: %s\n", v.Name, v.Seed, v.Minutes, v.Seeds, v.Found)
	case v.Missed != "":
		fmt.Fprintf(w, "%s: NOT FOUND in %.1f minutes, as is known: %s\n", v.Name, v.Minutes, v.Missed)
	default:
		fmt.Fprintf(w, "%s: NOT FOUND in %.1f minutes, %d histories\n", v.Name, v.Minutes, v.Seeds)
	}
}

// hunt plants a bug in the garden, builds all into bin, and plays. A history counts that ends
// badly with the bug once more in some plays, since processes run beside each other, and well
// in as many without it, by the functions in o.bin.
func hunt(ctx context.Context, o options, p Planted, garden, bin string) (Verdict, error) {
	patch, err := filepath.Abs(p.path)
	if err != nil {
		return Verdict{}, err
	}
	if err := command(ctx, garden, "git", "apply", "-C1", patch); err != nil {
		return Verdict{}, err
	}
	err = stack.BuildAll(ctx, garden, bin)
	err = errors.Join(err, command(ctx, garden, "git", "apply", "-C1", "-R", patch))
	if err != nil {
		return Verdict{}, err
	}
	v := Verdict{Planted: p}
	planted, until := o, time.Now().Add(o.time)
	planted.bin = bin
	if planted.about, err = touched(ctx, o.root, patch); err != nil {
		return v, err
	}
	for planted.time = o.time; planted.time > 0; planted.time = time.Until(until) {
		c := campaign{o: planted, log: io.Discard, enough: 1}
		sum, err := c.play(ctx)
		v.Seeds, v.Minutes = v.Seeds+len(sum.Seeds), v.Minutes+sum.Minutes
		if err != nil || len(sum.Violations) == 0 {
			return v, err
		}
		bad := sum.Violations[0]
		again, err := badly(ctx, bad.Seed, planted)
		if err != nil || len(again) == 0 {
			fmt.Printf("%s: seed %d ends badly once: %s\n", p.Name, bad.Seed, bad.Found[0])
			continue
		}
		found, err := badly(ctx, bad.Seed, o)
		if len(found) == 0 && err == nil {
			v.Seed, v.Found = bad.Seed, bad.Found[0]
			return v, nil
		}
		fmt.Printf("%s: seed %d ends badly without it, too: %v %v\n", p.Name, bad.Seed, found, err)
	}
	return v, nil
}

// badly plays the history of a seed a few times, and returns what is wrong the first time that
// something is.
func badly(ctx context.Context, seed uint64, o options) (found []string, err error) {
	for range 4 {
		if found, err = Play(ctx, Generate(seed), o); err != nil || len(found) > 0 {
			break
		}
	}
	return found, err
}

// touched are the functions that link what a patch changes.
func touched(ctx context.Context, root, patch string) (about, error) {
	text, err := os.ReadFile(patch)
	if err != nil {
		return 0, fmt.Errorf("reading a planted bug: %w", err)
	}
	cmd := exec.CommandContext(ctx, "go", "list", "-f", `{{.ImportPath}} {{join .Deps " "}}`, "./functions/...", "./deploy/"+stack.Tool)
	cmd.Dir = root
	links, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("listing what functions link: %w", err)
	}
	var a about
	for line := range strings.Lines(string(text)) {
		file, ok := strings.CutPrefix(strings.TrimSpace(line), "+++ b/")
		if !ok {
			continue
		}
		for linked := range strings.Lines(string(links)) {
			packages := strings.Fields(linked)
			if slices.Contains(packages, "fleetwarden/"+filepath.ToSlash(filepath.Dir(file))) {
				is := func(function string) bool { return stack.Folder(function) == filepath.Base(packages[0]) }
				a |= 1 << max(0, slices.IndexFunc(actors, is)) // the tool is the first
			}
		}
	}
	if a == 1<<len(actors)-1 {
		return 0, nil // it is in all
	}
	return a, nil
}

// copyTree copies a repository as it is in git's index: what is not added yet is left out.
func copyTree(ctx context.Context, root, to string) error {
	return command(ctx, root, "git", "checkout-index", "--all", "--prefix="+to+"/")
}

func command(ctx context.Context, dir, name string, args ...string) error {
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}

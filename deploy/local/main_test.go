package main

import (
	"context"
	"errors"
	"flag"
	"slices"
	"strings"
	"testing"
)

func TestPortComesFromTheFlagElseTheEnvironment(t *testing.T) {
	for _, c := range []struct{ name, env, args, want string }{
		{"neither", "", "", "4571"},
		{"the environment", "5000", "", "5000"},
		{"both", "5000", "--port=6000", "6000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, err := parse(strings.Fields(c.args), func(string) string { return c.env }, &strings.Builder{})
			if err != nil || o.port != c.want {
				t.Errorf("port %q, %v; want %q", o.port, err, c.want)
			}
		})
	}
}

func TestHelpNamesEveryFlag(t *testing.T) {
	var out strings.Builder
	if _, err := parse([]string{"--help"}, func(string) string { return "" }, &out); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("error %v", err)
	}
	for _, name := range []string{"-port", "-manifest", "-bin", "-policy", "-regions", "-grant", "-logs", "-quotas", "-rate"} {
		if !strings.Contains(out.String(), name) {
			t.Errorf("the help lacks %s", name)
		}
	}
}

func TestQuotasArePublishedOnesOnRequestOnly(t *testing.T) {
	for args, want := range map[string]bool{"": false, "--quotas=generous": false, "--quotas=published": true} {
		o, err := parse(strings.Fields(args), func(string) string { return "" }, &strings.Builder{})
		if got := len(o.cloud().Quotas) > 0; err != nil || got != want {
			t.Errorf("%q: quotas %t, %v; want %t", args, got, err, want)
		}
	}
}

func TestOptionalRightsAreGrantedByName(t *testing.T) {
	for args, want := range map[string][]string{"": nil, "--grant=": nil, "--grant=a,b": {"a", "b"}} {
		o, err := parse(strings.Fields(args), func(string) string { return "" }, &strings.Builder{})
		if got := o.optional(); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: got %v, %v; want %v", args, got, err, want)
		}
	}
}

func TestBadCommandLineIsRefused(t *testing.T) {
	for _, args := range [][]string{{"--unknown"}, {"argument"}, {"--rate=0"}, {"--quotas=none"}, {"--port=x"}, {"--port=0", "--manifest=missing/s.yaml"}, {"--port=0", "--manifest=../../s.yaml", "--bin=x", "--grant=nothing"}} {
		if err := run(context.Background(), args, func(string) string { return "" }, &strings.Builder{}); err == nil {
			t.Errorf("%q was accepted", args)
		}
	}
}

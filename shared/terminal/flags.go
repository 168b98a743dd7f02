package terminal

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"fleetwarden/events"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
)

type flags struct {
	event  string
	ids    []string
	apply  bool
	json   bool
	policy string
	region string
	wait   time.Duration
}

// program is the command's name: the function's without its dashes, as its folder.
func program(f invocation.Function) string { return strings.ReplaceAll(f.Name, "-", "") }

func parse(f invocation.Function, env Env) (flags, error) {
	var fl flags
	set := flag.NewFlagSet(program(f), flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&fl.event, "event", "", "")
	set.BoolVar(&fl.apply, "apply", false, "")
	set.BoolVar(&fl.json, "json", false, "")
	set.StringVar(&fl.policy, "policy", "", "")
	set.StringVar(&fl.region, "region", region(env), "")
	set.DurationVar(&fl.wait, "wait", 0, "")
	err := set.Parse(env.Args)
	fl.ids = set.Args()
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(env.Stdout, usage(f))
		return fl, err
	case err != nil:
		return fl, fmt.Errorf("%w; see --help", err)
	}
	if err := fl.target(f); err != nil {
		return fl, err
	}
	return fl, fl.check()
}

// target checks that there is one target, and one that the function takes.
func (fl *flags) target(f invocation.Function) error {
	switch {
	case (f.EventsOnly || f.Wakes != nil) && len(fl.ids) > 0:
		return fmt.Errorf("%q cannot be checked by itself: give --event FILE; see --help", fl.ids[0])
	case f.Wakes != nil: // it checks everything
	case f.EventsOnly && fl.event == "":
		return errors.New("nothing to check: give --event FILE; see --help")
	case fl.event == "" && len(fl.ids) == 0:
		return errors.New("nothing to check: give instance ids, or --event FILE; see --help")
	case fl.event != "" && len(fl.ids) > 0:
		return errors.New("give either instance ids or --event FILE, not both")
	}
	return nil
}

// check validates a command line before any input is read.
func (fl *flags) check() error {
	switch {
	case fl.wait < 0:
		return errors.New("--wait must not be negative")
	case fl.wait > 0 && !fl.apply:
		return errors.New("--wait needs --apply: a dry run leaves nothing pending")
	case !fleet.Region(fl.region).Valid():
		return fmt.Errorf("--region: %q is not a region id such as %s", fl.region, defaultRegion)
	}
	for _, id := range fl.ids {
		switch {
		case strings.HasPrefix(id, "-"):
			return fmt.Errorf("%q comes too late: flags stand before the instance ids", id)
		case !fleet.ValidInstanceID(id):
			return fmt.Errorf("%q is not an instance id such as i-bp67acfmxazb4ph", id)
		}
	}
	return nil
}

// defaultRegion is used when neither a flag nor the environment names one.
const defaultRegion = "cn-hangzhou"

func region(env Env) string { return cmp.Or(env.Getenv("ALIBABA_CLOUD_REGION_ID"), defaultRegion) }

func usage(f invocation.Function) string {
	byID, where := "", "the region to work in"
	writes, apply, keeps := `Nothing is written without --apply,
and then only by controls that the policy file sets to "enforce".`, "execute the changes", "what --apply changes"
	if f.Wakes != nil {
		byID = "\n  " + program(f) + " [flags]                     check everything, to the end"
		writes, apply, keeps = `It writes what it
finds and its report to the ledger. No owner is notified without --apply, and then only
those of controls that the policy file sets to "enforce".`, "notify the owners of drift", "what it finds"
	} else if !f.EventsOnly {
		byID = "\n  " + program(f) + " [flags] INSTANCE-ID ...     check these instances"
		where = "where the instance ids are"
	}
	return fmt.Sprintf(`%[1]s: %[2]s

Usage:%[4]s
  %[1]s [flags] --event FILE        check the resources of an event; "-" reads stdin

It checks, decides, and reports the changes it would make. %[6]s

Flags:
  --apply           %[7]s
  --event FILE      events as a trigger would deliver them, or trail records, as LookupEvents
                    prints them, or as OSS or Simple Log Service export them
  --json            records as JSON Lines, one a line, on stdout
  --policy FILE     the policy file (default: $FLEETWARDEN_POLICY; without one, audit)
  --region ID       %[5]s (default: $ALIBABA_CLOUD_REGION_ID, else %[3]s)
  --wait DURATION   with --apply: keep checking what is pending, such as an instance that
                    still starts, for at most this long, as in 5m (default 0s)

Credentials come from the environment, the aliyun CLI's profile or the instance's RAM
role. ALIBABA_CLOUD_ENDPOINT_URL=http://HOST:PORT sends all calls to a local cloud.
FLEETWARDEN_LEDGER=oss://BUCKET/PREFIX or file:///FOLDER keeps %[8]s.

Exit status: 0 when everything was checked, whatever the result; 1 when something could not
be checked; 2 for a wrong command line, or a file that holds no event.
`, program(f), f.About, defaultRegion, byID, where, writes, apply, keeps)
}

// maxEvent limits the bytes of an event; a synchronous invocation takes no more.
const maxEvent = 32 << 20

// readEvent returns the event that the flags name; nil when they name ids.
func readEvent(fl flags, env Env) ([]byte, error) {
	if fl.event == "" {
		return nil, nil
	}
	in := env.Stdin
	if fl.event != "-" {
		file, err := os.Open(fl.event)
		if err != nil {
			return nil, fmt.Errorf("opening the event: %w", err)
		}
		defer file.Close()
		in = file
	}
	data, err := readAll(in)
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the event: %w", err)
	case len(data) > maxEvent:
		return nil, fmt.Errorf("the event %s is longer than %d bytes", fl.event, maxEvent)
	}
	if err := events.Check(data); err != nil {
		return nil, noEvent{fmt.Errorf("%s holds no event: %w", fl.event, err)}
	}
	return data, nil
}

// readAll reads up to a byte more than an event may have. A trail delivers its records to
// OSS as gzip.
func readAll(in io.Reader) ([]byte, error) {
	begin := bufio.NewReader(in)
	if magic, _ := begin.Peek(2); !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return io.ReadAll(io.LimitReader(begin, maxEvent+1))
	}
	plain, err := gzip.NewReader(begin)
	if err != nil {
		return nil, fmt.Errorf("unpacking gzip: %w", err)
	}
	return io.ReadAll(io.LimitReader(plain, maxEvent+1))
}

// noEvent is a wrong command line: its file has other content.
type noEvent struct{ error }

func (noEvent) hint() string {
	return `--event takes JSON, also gzipped: an event as a trigger or EventBridge delivers it, records of a trail,
  the output of "aliyun actiontrail LookupEvents", or logs of Simple Log Service (a list, or JSON Lines)`
}

// messages are ids in the form of an inbox message.
func messages(ids []string, home fleet.Scope) []fleet.Message {
	refs := make([]fleet.Ref, len(ids))
	for i, id := range ids {
		refs[i] = fleet.Ref{Scope: home, Kind: fleet.KindInstance, ID: id}
	}
	return fleet.Messages(refs)
}

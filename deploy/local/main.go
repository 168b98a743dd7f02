// Command local is Alibaba Cloud on this machine with Fleetwarden deployed on it:
// a simcloud server on the loopback and the functions of s.yaml, at the speed of
// real time, until it is interrupted. Nothing in it reaches any other network.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/simcloud/wire"
	"fleetwarden/deploy/local/stack"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "local:", err)
		os.Exit(1)
	}
}

type options struct {
	port, manifest, bin, policy, regions, grant, logs, quotas string
	rate                                                      float64
}

func parse(args []string, getenv func(string) string, out io.Writer) (options, error) {
	var o options
	port := cmp.Or(getenv("PORT"), "4571")
	f := flag.NewFlagSet("local", flag.ContinueOnError)
	f.SetOutput(out)
	f.StringVar(&o.port, "port", port, "port of 127.0.0.1 to serve on; 0 for a free one (default also from PORT)")
	f.StringVar(&o.manifest, "manifest", "s.yaml", "the Serverless Devs manifest to deploy")
	f.StringVar(&o.bin, "bin", "", "folder with ready binaries, <function>/main; empty: build them")
	f.StringVar(&o.policy, "policy", "", "policy file of the functions; empty: deploy/local/policy.yaml beside the manifest")
	f.StringVar(&o.regions, "regions", server.Home+","+server.Another, "regions to deploy to, separated by commas; home first")
	f.StringVar(&o.grant, "grant", "", "files of deploy/ram/optional, without .json and separated by commas, that are granted to the functions their names begin with")
	f.StringVar(&o.logs, "logs", "", "folder that keeps the functions' output; empty: a temporary one")
	f.StringVar(&o.quotas, "quotas", "generous", "quotas of API calls: generous, or published for the vendor's; POST /_sim/quotas sets others")
	f.Float64Var(&o.rate, "rate", 1, "how many times faster than real time the cloud's time goes")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 || o.rate <= 0 {
		return o, fmt.Errorf("reading the command line: want flags only, and a rate above 0; see --help")
	}
	if o.quotas != "generous" && o.quotas != "published" {
		return o, fmt.Errorf("reading the command line: quotas are generous or published, not %q", o.quotas)
	}
	return o, nil
}

// optional are the names that --grant lists.
func (o options) optional() []string {
	return strings.FieldsFunc(o.grant, func(r rune) bool { return r == ',' })
}

// cloud is how the cloud is to be.
func (o options) cloud() server.Options {
	c := server.Options{Addr: "127.0.0.1:" + o.port, Rate: o.rate}
	if o.quotas == "published" {
		c.Quotas = wire.PublishedQuotas()
	}
	return c
}

func run(ctx context.Context, args []string, getenv func(string) string, out io.Writer) (err error) {
	o, err := parse(args, getenv, out)
	if err != nil {
		return err
	}
	cloud, err := server.New(o.cloud())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cloud.Close()) }()
	s, err := stack.Start(ctx, stack.Options{
		Server: cloud, Manifest: o.manifest, BinDir: o.bin, Policy: o.policy,
		Regions: strings.Split(o.regions, ","), Optional: o.optional(), LogDir: o.logs, Log: out,
		Recorded: true,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	welcome(out, cloud.URL(), s)
	<-ctx.Done()
	fmt.Fprintln(out, "stopping")
	return nil
}

func welcome(out io.Writer, url string, s *stack.Stack) {
	fmt.Fprintf(out, `
The local cloud listens on %[1]s. It is a stand-in: see deploy/local/simcloud/ASSUMPTIONS.md.

accounts  %[2]s  home and sharer   AccessKey local-ak  / local-sk
          %[3]s  sharee            AccessKey sharee-ak / sharee-sk
          %[4]s  member            AccessKey member-ak / member-sk
regions   %[5]s, %[6]s

aliyun CLI
  export ALIBABA_CLOUD_ACCESS_KEY_ID=local-ak ALIBABA_CLOUD_ACCESS_KEY_SECRET=local-sk
  aliyun ecs DescribeInstances --region %[5]s --RegionId %[5]s --endpoint %[7]s --insecure
SDKs: set Endpoint to %[7]s and Protocol to http. MNS: dial this address, keep the host name
  %[2]s.mns.<region>.aliyuncs.com.
fleetwarden, whose ledger is that of the functions here
  export ALIBABA_CLOUD_ENDPOINT_URL=%[1]s ALIBABA_CLOUD_ACCESS_KEY_ID=local-ak ALIBABA_CLOUD_ACCESS_KEY_SECRET=local-sk FLEETWARDEN_POLICY=%[8]s
  %[9]s sweep

robots    dingtalk, feishu, lark, wecom, slack, teams, webhook: their secrets in KMS are fleetwarden-<robot>; mail from %[10]s;
          GET /_sim/channels shows what they accepted and refused

control   GET  %[1]s/_sim/health · world · requests · invocations · permissions · channels
          POST %[1]s/_sim/events · fleet · faults · quotas · counters · advance · invoke/<function>

`, url, server.Sharer, server.Sharee, server.Member, server.Home, server.Another, strings.TrimPrefix(url, "http://"), s.Policy(), s.ToolPath(), server.Sender)
	for _, d := range s.Functions() {
		fmt.Fprintf(out, "function  %s in %s, woken by %s\n", d.Function, d.Region, strings.Join(d.Triggers, ", "))
	}
	fmt.Fprintf(out, "logs      %s\n\nCtrl-C stops it.\n", s.LogDir())
}

package terminal_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
)

func TestAFileThatHoldsNoEventIsRefusedWithAHint(t *testing.T) {
	d := newDesk(t)
	for what, text := range map[string]string{
		"nothing": "", "text": "hello", "an answer of another API": `{"RequestId":"r","Instances":{"Instance":[{"InstanceId":"i-1"}]}}`,
		"a policy": "version: 1\n", "a table": "event.eventId,event.eventName\nE,RunInstances\n", "JSON that breaks off": `{"specversion":"1.0"`,
		"gzip that is none": "\x1f\x8bhello",
	} {
		d.stdin = text
		got := d.run(unused(t), "--event", "-")
		refused := got.code == 2 && strings.Contains(got.stderr, "holds no event") && strings.Contains(got.stderr, "aliyun actiontrail LookupEvents")
		if what == "gzip that is none" {
			refused = got.code == 1 && strings.Contains(got.stderr, "gzip")
		}
		if !refused || got.stdout != "" || strings.Contains(got.stderr, "i-1") {
			t.Errorf("%s: got %+v", what, got)
		}
	}
}

func TestATrailFileFromOSSIsReadUnchanged(t *testing.T) {
	d := newDesk(t)
	const records = `[{"eventId":"E","eventName":"StopInstance","serviceName":"Ecs"}]`
	for _, size := range []int{0, 33 << 20} {
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		if _, err := z.Write([]byte(records + strings.Repeat(" ", size))); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "records.gz")
		if err := os.WriteFile(path, packed.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		var read string
		got := d.run(func(_ context.Context, c *invocation.Invocation) (fleet.Pass, error) {
			read = string(c.Payload)
			return fleet.Pass{}, nil
		}, "--event", path)
		if size == 0 && (got.code != 0 || read != records) || size > 0 && (got.code != 1 || !strings.Contains(got.stderr, "is longer than")) {
			t.Errorf("%d more bytes: got %+v, read %q", size, got, read)
		}
	}
}

package command

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"

	"fleetwarden/events"
)

// maxEvent limits the bytes of an event; a synchronous invocation takes no more.
const maxEvent = 32 << 20

// readEvent returns the content of a file with events; nil without a name.
func (c *Call) readEvent(name string) ([]byte, error) {
	if name == "" {
		return nil, nil
	}
	in := c.Stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, Wrong("opening the event: %w", err)
		}
		defer file.Close()
		in = file
	}
	data, err := readAll(in)
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the event: %w", err)
	case len(data) > maxEvent:
		return nil, Wrong("the event %s is longer than %d bytes", name, maxEvent)
	}
	if err := events.Check(data); err != nil {
		return nil, Wrong("%s holds no event: %w; see %s check --help", name, err, Tool)
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

package wire

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
)

// toXML writes a JSON object as the classic protocol's XML: one element per
// member, an array as repeated elements. It keeps the members' order.
func toXML(root string, object []byte) []byte {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	d := json.NewDecoder(bytes.NewReader(object))
	d.UseNumber()
	writeXML(&b, d, root)
	return b.Bytes()
}

func writeXML(b *bytes.Buffer, d *json.Decoder, name string) {
	t, err := d.Token()
	if err != nil {
		return
	}
	switch t {
	case json.Delim('['):
		for d.More() {
			writeXML(b, d, name)
		}
		_, _ = d.Token()
	case json.Delim('{'):
		fmt.Fprintf(b, "<%s>", name)
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return
			}
			writeXML(b, d, fmt.Sprint(key))
		}
		_, _ = d.Token()
		fmt.Fprintf(b, "</%s>", name)
	case nil:
	default:
		fmt.Fprintf(b, "<%s>", name)
		// Writing to a bytes.Buffer does not fail.
		_ = xml.EscapeText(b, []byte(fmt.Sprint(t)))
		fmt.Fprintf(b, "</%s>", name)
	}
}

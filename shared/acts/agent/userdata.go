package agent

import (
	"encoding/base64"
	"regexp"
	"strings"
)

// The install scripts of the trust client that user data may hold.
const (
	ScriptPublished   = "published"   // from Alibaba Cloud's documentation
	ScriptFleetwarden = "fleetwarden" // ours, in deploy/commands/trust-client.sh
)

// publishedBody is the published script, from the documentation page "Create a trusted
// instance" of ECS, as lines without trailing white space and without empty lines: the
// page's plain text and its Base64 sample differ in both. The first line, #!/bin/sh, and
// the last, exit 0, are left out, since authors who extend the script move one and remove
// the other.
const publishedBody = `
CURPATH=` + "`pwd`" + `
SCRIPT_PATH="/download/linux/script/TrustAgentInstall.sh"
REGION_ID=` + "`curl -s --retry 1 --max-time 3 http://100.100.100.200/latest/meta-data/region-id`" + `
UPDATE_SITE1=http://trustclient-${REGION_ID}.oss-${REGION_ID}-internal.aliyuncs.com
UPDATE_SITE2=http://trustclient-${REGION_ID}.oss-${REGION_ID}.aliyuncs.com
UPDATE_SITE3=http://t-trustclient-${REGION_ID}.oss-{$REGION_ID}-internal.aliyuncs.com
MSG_INFO="downloading install script from site"
MSG_ERR="download file error."
MSG_OK="trust client init done."
install()
{
echo "${MSG_INFO}"" 1..."
curl -fsSL "${UPDATE_SITE1}""${SCRIPT_PATH}"|sh
if [ $? == 0 ]; then
return 1
fi
echo "${MSG_INFO}"" 2..."
curl -fsSL "${UPDATE_SITE2}""${SCRIPT_PATH}"|sh
if [ $? == 0 ]; then
return 2
fi
echo "${MSG_INFO}"" 3..."
curl -fsSL "${UPDATE_SITE3}""${SCRIPT_PATH}"|sh
if [ $? == 0 ]; then
return 3
fi
echo "" 1>&2
exit 1
}
install
echo "${MSG_OK}"
`

// versionLine is the line with the name and version of Fleetwarden's script.
var versionLine = regexp.MustCompile(`\n# fleetwarden trust-client [1-9][0-9]*\n`)

// TrustScript returns which install script of the trust client user data holds:
// [ScriptFleetwarden], [ScriptPublished], or "" for none that is known. It takes user data
// as the API returns it, in Base64, or decoded; the script may be among other lines, and
// indented, as in a cloud-config. Fleetwarden's takes precedence.
//
// It compares text. It does not determine whether the lines are reached when the instance
// starts, nor unpack gzip or a MIME part in Base64; that is "".
func TrustScript(userData string) string {
	text := bare(userData)
	if decoded, ok := decode(userData); ok {
		text = bare(decoded)
	}
	switch {
	case versionLine.MatchString(text):
		return ScriptFleetwarden
	case strings.Contains(text, publishedBody):
		return ScriptPublished
	}
	return ""
}

// decode undoes Base64, with or without line breaks and padding.
func decode(s string) (string, bool) {
	s = strings.TrimRight(strings.Join(strings.Fields(s), ""), "=")
	text, err := base64.RawStdEncoding.DecodeString(s)
	return string(text), err == nil
}

// bare removes trailing white space and empty lines. Each line of the result has a line
// break on both sides.
func bare(s string) string {
	var b strings.Builder
	b.Grow(len(s) + 2)
	b.WriteByte('\n')
	s = strings.ReplaceAll(strings.TrimPrefix(s, "\ufeff"), "\r", "\n")
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			b.WriteString(line)
			b.WriteByte('\n')
		}
	}
	return b.String()
}

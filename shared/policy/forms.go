package policy

import (
	"slices"
	"strings"
	"unicode/utf8"

	"fleetwarden/shared/fleet"
)

// form is the form of a string. Editors check it by a pattern of the JSON Schema, which
// describe_test.go has and compares; a pattern here would be compiled at each cold start.
type form struct {
	// name is its description in messages, after "want".
	name string
	// longest is the largest number of characters.
	longest int
	valid   func(string) bool
}

func (f form) fits(s string) bool { return f.valid(s) && utf8.RuneCountInString(s) <= f.longest }

const (
	lower        = "abcdefghijklmnopqrstuvwxyz"
	upper        = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digit        = "0123456789"
	alphanumeric = lower + upper + digit
)

// The forms of strings. None allows an unprintable character.
var (
	formLine     = form{"a line of text", 256, line}
	formTagKey   = form{"a tag key, 1 to 128 characters", 128, func(s string) bool { return s != "" && line(s) }}
	formTagValue = form{"a tag value, up to 128 characters, or * for any", 128, line}
	// formWords may have line breaks, but not white space alone.
	formWords = form{"some words, up to 1000 characters", 1000, func(s string) bool {
		return line(strings.ReplaceAll(s, "\n", "")) && strings.Trim(s, "\n \u00a0") != ""
	}}

	formRegion   = form{"a region id such as cn-hangzhou", fleet.LongestRegion, func(s string) bool { return fleet.Region(s).Valid() }}
	formRole     = form{"the name of a RAM role, 1 to 64 letters, digits, dots and hyphens", fleet.LongestRole, fleet.ValidRoleName}
	formGroup    = form{"a resource group id, rg-…", 64, word("rg-", alphanumeric+"-", alphanumeric+"-")}
	formVPC      = form{"a VPC id, vpc-…", 64, word("vpc-", alphanumeric+"-", alphanumeric+"-")}
	formInstance = form{"an instance id, i-…", fleet.LongestInstance, fleet.ValidInstanceID}
	formFolder   = form{"a folder id, fd-…", 64, word("fd-", alphanumeric+"-", alphanumeric+"-")}
	formFamily   = form{"a bare instance family such as g7t", 32, word("", lower, lower+digit+"-")}
	formDisk     = form{"a disk category such as cloud_essd", 32, word("", lower, lower+digit+"_")}
	formAPI      = form{"the name of an API such as DescribeInstances", 64, word("", upper, alphanumeric)}
	formZone     = form{"the IANA name of a time zone such as Asia/Shanghai", 64, zoneName}
	formChannel  = form{"a name of up to 32 letters, digits and hyphens", 32, word("", alphanumeric, alphanumeric+"-")}
	formSecret   = form{"the name of a secret in KMS, fleetwarden-…, or env:VARIABLE", 192, secretName}
	formMail     = form{"a mail address such as ops@example.com", 254, mailAddress}
	formNetwork  = form{"a network such as 10.1.0.0/16", 43, network}
	formQueue    = form{"a queue name, up to 120 letters, digits and hyphens", 120, word("", alphanumeric, alphanumeric+"-")}
)

// line reports whether all characters are printable: JSON writes some others literally, of
// which YAML refuses to read a few.
func line(s string) bool {
	return !strings.ContainsFunc(s, unprintable)
}

// word returns the check for a prefix, one of the characters first, and any of rest.
func word(prefix, first, rest string) func(string) bool {
	return func(s string) bool {
		s, ok := strings.CutPrefix(s, prefix)
		return ok && s != "" && strings.Contains(first, s[:1]) && strings.Trim(s[1:], rest) == ""
	}
}

func zoneName(s string) bool {
	for part := range strings.SplitSeq(s, "/") {
		if !word("", upper, alphanumeric+"_+-")(part) {
			return false
		}
	}
	return true
}

// secretName takes variables of Function Compute, and of the names that KMS does
// (https://www.alibabacloud.com/help/en/kms/support/api-kms-createsecret) those with our prefix:
// the role of the function notify may read no other, and no token looks like one.
func secretName(s string) bool {
	const published = alphanumeric + "_/+=.@-"
	return word(EnvSecret, lower+upper, alphanumeric+"_")(s) || word(fleet.Prefix, published, published)(s)
}

// likeURL reports whether a text may be an address with a secret in it, with or without its
// scheme.
func likeURL(s string) bool {
	host, _, hasPath := strings.Cut(s, "/")
	return strings.Contains(s, "://") || hasPath && strings.Contains(host, ".")
}

func mailAddress(s string) bool {
	local, domain, _ := strings.Cut(s, "@")
	labels := strings.Split(domain, ".")
	return word("", alphanumeric+"._%+-", alphanumeric+"._%+-")(local) && len(labels) > 1 &&
		!slices.ContainsFunc(labels, func(l string) bool { return !word("", alphanumeric+"-", alphanumeric+"-")(l) })
}

func network(s string) bool {
	address, bits, _ := strings.Cut(s, "/")
	const hex = digit + "abcdef.:"
	return word("", hex, hex)(address) && word("", digit, digit)(bits) && len(bits) <= 3
}

package policy

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // the image of a function need not have time zones; these are 400 KB of a program

	"go.yaml.in/yaml/v3"

	"fleetwarden/shared/fleet"
)

const (
	// DefaultZone is the time zone of a policy that names none.
	DefaultZone = "Asia/Shanghai"
	// EnvSecret begins a secret that is an environment variable of the function notify.
	EnvSecret = "env:"
)

const (
	mostChannels  = 20
	mostReceivers = 100 // of one call of DirectMail
)

// defaultZone is DefaultZone without a look into the time zones, which each cold start would
// pay: China has had no other time since 1991.
func defaultZone() *time.Location { return time.FixedZone(DefaultZone, 8*60*60) }

func (n *Notify) fields() value {
	return notifying{object{fields: []field{
		{"zone", zone{&n.Zone}, "The time zone of days and of quiet hours.", false},
		{"channels", channels{&n.Channels}, "Robots, webhooks and lists of mail addresses, by a name that you choose.", false},
	}}, n}
}

// notifying is blank at its defaults, so that a policy without it has the digest that it had
// before there was such a key.
type notifying struct {
	object
	n *Notify
}

func (v notifying) blank() bool {
	return len(v.n.Channels) == 0 && v.n.Zone.String() == DefaultZone
}

func (c *Channel) fields() value {
	account := func(id *fleet.AccountID) value { return knownAccount{accountID{id}} }
	return channel{object{fields: []field{
		{"type", choice[string]{&c.Type, ChannelTypes()},
			"Its kind.", must},
		{"secret", secret{&c.Secret}, "All but mail: the name of the secret with its URL in KMS of the home region, fleetwarden-…, or env:VARIABLE of the function notify. Never the URL.", false},
		{"from", text[string]{&c.From, formMail}, "Mail: the sender, an address of DirectMail.", false},
		{"to", list[string]{to: &c.To, item: texts(formMail), least: 1, most: mostReceivers}, "Mail: the receivers.", false},
		{"least", choice[fleet.Severity]{&c.Least, words(fleet.Severities()...)}, "The least severity that it gets.", false},
		{"accounts", list[fleet.AccountID]{to: &c.Accounts, item: account, least: 1}, "It gets findings of these accounts. Left out: of all.", false},
		{"controls", list[string]{to: &c.Controls, item: choices(append(Controls(), ControlDeployment)), least: 1},
			"It gets findings of these controls; deployment: those of the doctor, and of sweeps and pauses as a whole. Left out: of all.", false},
		{"digest", toggle{&c.Digest}, "It gets a digest after each sweep.", false},
		{"changes", toggle{&c.Changes}, "It gets the changes that were made.", false},
		{"quiet", quietHours{&c.Quiet}, "Hours in which it gets only critical findings at once, the others at their end.", false},
		{"lang", choice[string]{&c.Lang, []string{LangEnglish, LangChinese, LangJapanese}}, "The language.", false},
		{"networks", list[string]{to: &c.Networks, item: privateNetworks}, "A webhook: the private networks that it may be in. Left out: it is on the Internet.", false},
	}}, c}
}

// channels are a mapping in the file, and in a policy a list that is sorted by name.
type channels struct{ to *[]Channel }

// newChannel has the defaults of a channel.
func newChannel() Channel { return Channel{Least: fleet.High, Digest: true, Lang: LangEnglish} }

func (v channels) dict(to *map[string]Channel) dict[Channel] {
	return dict[Channel]{to: to, keys: formChannel, item: (*Channel).fields, fresh: newChannel(), most: mostChannels}
}

func (v channels) load(l *loader, n node) {
	var named map[string]Channel
	v.dict(&named).load(l, n)
	*v.to = nil
	for _, name := range slices.Sorted(maps.Keys(named)) {
		c := named[name]
		c.Name = name
		*v.to = append(*v.to, c)
	}
}

func (v channels) appendJSON(to []byte) []byte {
	named := map[string]Channel{}
	for _, c := range *v.to {
		named[c.Name] = c
	}
	return v.dict(&named).appendJSON(to)
}

func (v channels) blank() bool { return len(*v.to) == 0 }

func (channels) element() (value, string) {
	c := newChannel()
	return c.fields(), ".NAME"
}

// channel is a channel that has the keys which its type needs, and none that it cannot use.
type channel struct {
	object
	c *Channel
}

func (v channel) load(l *loader, n node) {
	v.object.load(l, n)
	if v.c.Type == "" { // which is reported
		return
	}
	for _, f := range v.fields {
		usable, needed := keyOfType(f.key, v.c.Type)
		at := n.find(f.key)
		switch {
		case needed && at == nil:
			l.problem(n, "", "%s is missing, which a channel of type %s needs", f.key, v.c.Type)
		case !usable && at != nil:
			l.problem(*at, "delete the key", "a channel of type %s has none", v.c.Type)
		}
	}
}

// keyOfType reports whether a key has a meaning for a type of channel, and whether it needs it.
func keyOfType(key, of string) (usable, needed bool) {
	switch key {
	case "secret":
		return of != ChannelMail, of != ChannelMail
	case "from", "to":
		return of == ChannelMail, of == ChannelMail
	case "networks":
		return of == ChannelWebhook, false
	}
	return true, false
}

// find returns the value of a key of a mapping; nil if there is none.
func (n node) find(key string) *node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			at := n.key(n.Content[i], n.Content[i+1])
			return &at
		}
	}
	return nil
}

// secret is the name of a secret. No message quotes the value: it may be the secret itself.
type secret struct{ to *string }

func (s secret) load(l *loader, n node) {
	switch isText := n.Kind == yaml.ScalarNode && n.Tag == "!!str"; {
	case isText && formSecret.fits(n.Value):
		*s.to = n.Value
	case isText && likeURL(n.Value):
		l.problem(n, "store it in KMS of the home region, and write the name of that secret here; have the URL replaced if others can read the file",
			"a policy has no secrets: this looks like a URL")
	default:
		l.problem(n, "what is there is not shown, as it may be a secret itself", "want %s", formSecret.name)
	}
}

func (s secret) appendJSON(to []byte) []byte { return appendString(to, *s.to) }
func (s secret) blank() bool                 { return *s.to == "" }

// zone is a time zone by its name.
type zone struct{ to **time.Location }

func (z zone) load(l *loader, n node) {
	var name string
	text[string]{&name, formZone}.load(l, n)
	if name == "" {
		return
	}
	found := defaultZone()
	if name != DefaultZone {
		var err error
		if found, err = time.LoadLocation(name); err != nil || name == "Local" {
			l.problem(n, "write one such as Asia/Shanghai, Europe/Berlin or UTC", "%s is not a time zone", name)
			return
		}
	}
	*z.to = found
}

func (z zone) appendJSON(to []byte) []byte { return appendString(to, (*z.to).String()) }
func (z zone) blank() bool                 { return false }

// quietHours are two times of a day.
type quietHours struct{ to *Quiet }

func (q quietHours) load(l *loader, n node) {
	const want = "hours such as 22:00-07:00"
	s, ok := l.str(n, want)
	if !ok {
		return
	}
	from, to, _ := strings.Cut(s, "-")
	begin, err := time.Parse("15:04", from)
	end, err2 := time.Parse("15:04", to)
	hours := Quiet{begin.Hour()*60 + begin.Minute(), end.Hour()*60 + end.Minute()}
	if l.fits(n, want, "two times of 24 hours a day", err == nil && err2 == nil && hours.String() == s) {
		if hours.From == hours.To {
			l.problem(n, "for no quiet hours delete the key", "%s is not a part of the day", s)
			return
		}
		*q.to = hours
	}
}

func (q quietHours) appendJSON(to []byte) []byte { return appendString(to, q.to.String()) }
func (q quietHours) blank() bool                 { return q.to.From == q.to.To }

// privateNetwork is a network that only our own hosts are in.
type privateNetwork struct{ text[string] }

func privateNetworks(to *string) value { return privateNetwork{text[string]{to, formNetwork}} }

func (p privateNetwork) load(l *loader, n node) {
	p.text.load(l, n)
	if p.blank() {
		return
	}
	prefix, err := netip.ParsePrefix(*p.to)
	within := func(of netip.Prefix) bool { return of.Contains(prefix.Addr()) && prefix.Bits() >= of.Bits() }
	switch {
	case err != nil || !slices.ContainsFunc(private(), within):
		l.problem(n, "", "%s is not a private network, within 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or fc00::/7", *p.to)
	case prefix.Masked().String() != *p.to:
		l.problem(n, "write "+prefix.Masked().String(), "%s is not a private network in its usual form", *p.to)
	}
}

// private are the networks of RFC 1918 and RFC 4193. Link-local networks, loopback and
// 100.64.0.0/10, in which clouds have the service for instance metadata, are none of them.
func private() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"),
		netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("fc00::/7")}
}

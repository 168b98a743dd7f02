package robots

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"fleetwarden/deploy/local/simcloud"
)

// Type is a kind of receiver. It is the product in the log and in a plan of faults.
type Type string

// The types of receivers. Feishu is Lark too.
const (
	DingTalk Type = "dingtalk"
	Feishu   Type = "feishu"
	WeCom    Type = "wecom"
	Slack    Type = "slack"
	Teams    Type = "teams"
	Webhook  Type = "webhook"
)

// Kept is how many posts are kept of those accepted, and of those refused.
const Kept = 1000

// Robot is a receiver.
type Robot struct {
	// Name is how tests and the control API know it.
	Name string
	Type Type
	// URL is its address, with its token.
	URL string
	// Sign is the secret of signatures; empty for a robot without.
	Sign string
	// Keywords, of DingTalk and Feishu, are those of which a message must have one; none
	// for any message.
	Keywords []string
}

// Post is a post that came.
type Post struct {
	// Robot is empty where no robot has the address.
	Robot string    `json:"robot,omitempty"`
	Type  Type      `json:"type"`
	Time  time.Time `json:"time"` // virtual
	Body  string    `json:"body"`
	// Status is that of the answer.
	Status int `json:"status"`
	// Code and Reason are of a post that was refused, or accepted and then not shown.
	Code   string `json:"code,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// Service is all receivers.
type Service struct {
	world *simcloud.World

	mu                sync.Mutex
	robots            []*robot
	accepted, refused []Post
}

type robot struct {
	Robot
	url    *url.URL
	closed bool
	counter
}

// New returns a service without robots.
func New(w *simcloud.World) *Service { return &Service{world: w} }

// Add makes a robot.
func (s *Service) Add(r Robot) error {
	u, err := url.Parse(r.URL)
	if err != nil || u.Scheme != "https" {
		return fmt.Errorf("adding robot %s: its address is no https URL", r.Name)
	}
	if r.Type == "" || typeOf(u.Host) != r.Type {
		return fmt.Errorf("adding robot %s: its host is not one of type %q", r.Name, r.Type)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Name == "" || s.named(r.Name) != nil {
		return fmt.Errorf("adding robot %s: its name is empty or taken", r.Name)
	}
	s.robots = append(s.robots, &robot{Robot: r, url: u})
	return nil
}

// Close ends the group or channel of a robot, which its address outlives.
func (s *Service) Close(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.named(name)
	if r == nil {
		return fmt.Errorf("closing the group of robot %s: there is no such robot", name)
	}
	r.closed = true
	return nil
}

// Remove deletes a robot: its address is unknown from now on.
func (s *Service) Remove(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.robots = slices.DeleteFunc(s.robots, func(r *robot) bool { return r.Name == name })
}

func (s *Service) named(name string) *robot {
	for _, r := range s.robots {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// Accepted are the posts to a robot that people see, oldest first; those to all robots for an
// empty name.
func (s *Service) Accepted(name string) []Post { return s.posts(&s.accepted, name) }

// Refused are the posts to a robot that nothing came of, oldest first; all of them, those to
// unknown addresses too, for an empty name.
func (s *Service) Refused(name string) []Post { return s.posts(&s.refused, name) }

func (s *Service) posts(of *[]Post, name string) []Post {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []Post{}
	for _, p := range *of {
		if name == "" || p.Robot == name {
			out = append(out, p)
		}
	}
	return out
}

func (s *Service) keep(in *[]Post, p Post) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*in = append(*in, p)
	*in = (*in)[max(0, len(*in)-Kept):]
}

// find returns the robot at a request's address; if there is none, whether there is one that
// differs in the secret part of the address only.
func (s *Service) find(kind Type, r *http.Request) (found *robot, near bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.robots {
		if x.Type != kind || hostname(x.url.Host) != hostname(r.Host) {
			continue
		}
		if x.url.Path == r.URL.Path && has(r.URL.Query(), x.url.Query()) {
			return x, false
		}
		near = near || x.url.Path == r.URL.Path || kind == Slack && path.Dir(x.url.Path) == path.Dir(r.URL.Path)
	}
	return nil, near
}

// has reports whether a query has all that another has.
func has(query, of url.Values) bool {
	for name := range of {
		if query.Get(name) != of.Get(name) {
			return false
		}
	}
	return true
}

func hostname(host string) string {
	name, _, _ := strings.Cut(host, ":")
	return strings.ToLower(name)
}

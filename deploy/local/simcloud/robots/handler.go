package robots

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/wire"
)

// Handler receives what is posted to the hosts of all types.
type Handler struct {
	Service *Service
	Faults  *simcloud.Faults
	Log     *wire.Log
	Witness wire.Witness // nil for none
}

// protocol is how a type of receiver is spoken to, and how it answers.
type protocol struct {
	path   string // with which all addresses begin
	limits []limit
	// unknown and wrong refuse an address that no robot has: at all, or but for its secret.
	// closed is of a robot whose group has ended, over and banned of one with too many posts.
	unknown, wrong, closed, over, banned *wire.Error
	// refusals are the answers to faults, besides those of gateways.
	refusals wire.Refusals
	// check refuses a message, with a *wire.Error or a *silent.
	check    func(*post) error
	accepted answer
	refused  func(*wire.Error) answer
}

type answer struct {
	status int
	kind   string // Content-Type
	body   string
}

func (t Type) protocol() protocol {
	switch t {
	case DingTalk:
		return dingtalk()
	case Feishu:
		return feishu()
	case WeCom:
		return wecom()
	case Slack:
		return slack()
	case Teams:
		return teams()
	}
	return webhook()
}

// typeOf is the type of the receivers at a host; empty for none.
func typeOf(host string) Type {
	switch name := hostname(host); {
	case name == "oapi.dingtalk.com":
		return DingTalk
	case name == "open.feishu.cn", name == "open.larksuite.com":
		return Feishu
	case name == "qyapi.weixin.qq.com":
		return WeCom
	case name == "hooks.slack.com":
		return Slack
	case strings.HasSuffix(name, ".logic.azure.com"), strings.HasSuffix(name, ".environment.api.powerplatform.com"):
		return Teams
	case strings.HasSuffix(name, ".webhook.example"):
		return Webhook
	}
	return ""
}

// Owns reports whether a request is meant for a robot, by its host name.
func Owns(r *http.Request) bool { return typeOf(r.Host) != "" }

// silent is the reason why people do not see a message that its poster is answered to be
// accepted.
type silent struct{ why string }

func (e *silent) Error() string { return e.why }

// gateway is the refusal of a server in front of the receivers: a page.
const gateway = "Gateway"

func refusedBefore(status int) *wire.Error {
	return wire.Errorf(status, gateway, "%s", http.StatusText(status))
}

// maxBody is the largest body that is read. No type takes as much.
const maxBody = 1 << 20

// post is a request on its way.
type post struct {
	*http.Request
	body  []byte
	robot *robot
	call  *wire.Call
	wait  time.Duration // that a limit asks for
}

// ServeHTTP receives one post. Time stands still meanwhile.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer h.Service.world.Clock.Begin()()
	kind := typeOf(r.Host)
	proto := kind.protocol()
	gate := wire.Gate{World: h.Service.world, Faults: h.Faults, Log: h.Log, Witness: h.Witness}
	p := &post{Request: r, call: gate.Call(string(kind), "")}
	fault := simcloud.NoFault
	err := h.Service.open(p, proto)
	if err == nil {
		fault, err = gate.Pass(p.call, proto.answers(), func() error { return h.Service.take(p, proto) })
	}
	ans, refused := proto.answer(err)
	gate.Note(p.call, ans.status, refused.Code, err)
	if errors.Is(err, wire.ErrNoAnswer) {
		wire.Drop(fault, r)
	}
	if refused.Code != "" {
		kept := p.kept(ans.status)
		kept.Code, kept.Reason = refused.Code, refused.Message
		h.Service.keep(&h.Service.refused, kept)
	}
	w.Header().Set("Date", p.call.Now.UTC().Format(http.TimeFormat))
	if ans.kind != "" {
		w.Header().Set("Content-Type", ans.kind)
	}
	if ans.status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(p.wait.Seconds()))))
	}
	w.WriteHeader(ans.status)
	_, _ = io.WriteString(w, ans.body) // a poster that has gone is its own affair
}

func (p *post) kept(status int) Post {
	out := Post{Type: Type(p.call.Product), Time: p.call.Now, Body: string(p.body), Status: status}
	if p.robot != nil {
		out.Robot = p.robot.Name
	}
	return out
}

// open reads a post up to the point where its robot is known.
func (s *Service) open(p *post, proto protocol) error {
	p.call.Action, p.wait = "(unknown)", faultWait
	var err error
	if p.body, err = io.ReadAll(io.LimitReader(p.Body, maxBody+1)); err != nil || len(p.body) > maxBody {
		p.body = nil
		return refusedBefore(http.StatusRequestEntityTooLarge)
	}
	if !strings.HasPrefix(p.URL.Path, proto.path) {
		return refusedBefore(http.StatusNotFound)
	}
	if p.Method != http.MethodPost {
		return refusedBefore(http.StatusMethodNotAllowed)
	}
	near := false
	if p.robot, near = s.find(Type(p.call.Product), p.Request); p.robot == nil {
		if near {
			return proto.wrong
		}
		return proto.unknown
	}
	p.call.Action = p.robot.Name
	return nil
}

// faultWait is how long a post that is throttled on purpose is to wait.
const faultWait = 30 * time.Second

// take counts, checks and keeps a post.
func (s *Service) take(p *post, proto protocol) error {
	s.mu.Lock()
	closed := p.robot.closed
	v, wait := p.robot.count(p.call.Now, proto.limits)
	s.mu.Unlock()
	switch {
	case closed:
		return proto.closed
	case v != free:
		p.wait = wait
		if v == banned {
			return proto.banned
		}
		return proto.over
	}
	if err := proto.check(p); err != nil {
		return err
	}
	s.keep(&s.accepted, p.kept(proto.accepted.status))
	return nil
}

// answers are those to posts that fail on purpose.
func (p protocol) answers() wire.Refusals {
	out := wire.Refusals{
		simcloud.Unavailable:   refusedBefore(http.StatusServiceUnavailable),
		simcloud.InternalError: refusedBefore(http.StatusInternalServerError),
		simcloud.HTML:          refusedBefore(http.StatusOK),
	}
	for kind, e := range p.refusals {
		out[kind] = e
	}
	return out
}

// answer is what the poster gets, with the refusal that is kept, if any.
func (p protocol) answer(err error) (answer, wire.Error) {
	var quiet *silent
	switch {
	case err == nil:
		return p.accepted, wire.Error{}
	case errors.As(err, &quiet):
		return p.accepted, wire.Error{Code: "NotShown", Message: quiet.why}
	case errors.Is(err, wire.ErrNoAnswer):
		return answer{}, wire.Error{}
	case errors.Is(err, wire.ErrEmptyAnswer):
		return answer{status: http.StatusOK}, wire.Error{}
	}
	e := wire.AsError(err)
	if e.Code == gateway {
		page := fmt.Sprintf("<html><head><title>%d %s</title></head><body><center><h1>%[1]d %[2]s</h1></center></body></html>", e.Status, e.Message)
		return answer{e.Status, "text/html", page}, *e
	}
	return p.refused(e), *e
}

// coded is the answer of a receiver that always answers HTTP 200, with a code in the body.
func coded(format string) func(*wire.Error) answer {
	return func(e *wire.Error) answer {
		return answer{http.StatusOK, jsonUTF8, fmt.Sprintf(format, e.Code, quoted(e.Message))}
	}
}

const jsonUTF8 = "application/json;charset=utf-8"

// quoted is a text as JSON has it.
func quoted(text string) string {
	b, _ := json.Marshal(text) // a text always has a JSON form
	return string(b)
}

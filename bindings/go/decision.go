package gatepost

// #include "shim.h"
import "C"

import (
	"fmt"
	"time"
)

// Action is what to do with a request. A number that is none of these means Deny.
type Action uint32

const (
	// Deny: send the decision's status, header fields and body.
	Deny Action = C.GATEPOST_DENY
	// Allow: strip, apply the fields for the application, and let it through.
	Allow Action = C.GATEPOST_ALLOW
	// Respond: the engine answers this request itself; send status, fields and body.
	Respond Action = C.GATEPOST_RESPOND
	// Pass: not ours; strip, and let the host's own default hold.
	Pass Action = C.GATEPOST_PASS
)

// String is the name as the policy's documents write it.
func (a Action) String() string {
	switch a {
	case Allow:
		return "ALLOW"
	case Respond:
		return "RESPOND"
	case Pass:
		return "PASS"
	}
	return "DENY"
}

// Mode is how a header field of a decision is applied.
type Mode uint32

const (
	// Set replaces all fields of that name.
	Set Mode = C.GATEPOST_HEADER_SET
	// Append adds one more field of that name.
	Append Mode = C.GATEPOST_HEADER_APPEND
	// SetIfAbsent adds it only where no field of that name is there.
	SetIfAbsent Mode = C.GATEPOST_HEADER_SET_IF_ABSENT
)

// String is the name of the mode.
func (m Mode) String() string {
	switch m {
	case Append:
		return "append"
	case SetIfAbsent:
		return "set-if-absent"
	}
	return "set"
}

// Header is one header field of a decision.
type Header struct {
	Name, Value string
	Mode        Mode
}

// Decision is the answer to one request. It does not change and may be used by any number of goroutines; nothing of it
// depends on the engine any more. A nil Decision, as DecisionFromContext answers it where no middleware was, and the zero
// one refuse: Deny, 500, ReasonInternal, nobody.
type Decision struct {
	answer *answer
	id     string
}

// said is what it says.
func (d *Decision) said() *answer {
	if d == nil || d.answer == nil {
		return &nothing
	}
	return d.answer
}

// Action is what to do.
func (d *Decision) Action() Action { return Action(d.said().lengths.action) }

// Status is the HTTP status; 200 for Allow and Pass.
func (d *Decision) Status() int { return d.said().status() }

// Reason is why. For logs; what the person may know is in the body.
func (d *Decision) Reason() Reason {
	if a := d.said(); !a.none() {
		return Reason(a.lengths.reason)
	}
	return ReasonInternal
}

// none tells whether no engine has said it.
func (a *answer) none() bool { return a.lengths.status == 0 }

func (a *answer) status() int {
	if a.none() {
		return 500
	}
	return int(a.lengths.status)
}

// RetryAfter is how long it takes until another try may succeed; 0: not said.
func (d *Decision) RetryAfter() time.Duration {
	return time.Duration(d.said().lengths.retry_after) * time.Second
}

// Generation tells which of the engine's policies decided: Engine.Generation at that moment.
func (d *Decision) Generation() uint64 { return uint64(d.said().lengths.generation) }

// ID is what a user reads to support and what the log is searched by.
func (d *Decision) ID() string {
	if d == nil {
		return ""
	}
	return d.id
}

// Subject is who was recognised, also where the request is refused; empty: nobody.
func (d *Decision) Subject() string { return d.said().string(subject) }

// Issuer is whose subject it is; empty for local users. Issuer and subject are the person, never the subject alone.
func (d *Decision) Issuer() string { return d.said().string(issuer) }

// Scheme is the scheme that was used or tried, like "basic"; empty: none.
func (d *Decision) Scheme() string { return d.said().string(scheme) }

// Roles are those of who was recognised.
func (d *Decision) Roles() []string { return split(d.said().string(roles), ',') }

// Scopes are those of what was used to log in.
func (d *Decision) Scopes() []string { return split(d.said().string(scopes), ' ') }

// Identity is who was recognised; ok is false where nobody was.
func (d *Decision) Identity() (identity Identity, ok bool) {
	return Identity{d}, d.said().lengths.subject != 0
}

// ResponseHeaders are header fields for the answer to the client, on every action.
func (d *Decision) ResponseHeaders() []Header {
	response, _, _ := d.said().all()
	return response
}

// UpstreamHeaders are header fields for the application, to apply after those to strip are gone, on Allow.
func (d *Decision) UpstreamHeaders() []Header {
	_, upstream, _ := d.said().all()
	return upstream
}

// Strip names the request fields to remove before the application sees the request, on every action.
func (d *Decision) Strip() []string {
	_, _, strip := d.said().all()
	return strip
}

// Body is the body of the answer; its type is among the response headers. Empty on Allow and Pass, and for HEAD.
func (d *Decision) Body() string { return d.said().body(d.ID()) }

// Err is nil where the request is let through, and otherwise a *Refusal.
func (d *Decision) Err() error {
	switch d.Action() {
	case Allow, Pass:
		return nil
	}
	return &Refusal{Reason: d.Reason(), Status: d.Status(), ID: d.ID()}
}

// Refusal is a decision as an error. errors.Is finds its reason, errors.As the rest.
type Refusal struct {
	Reason Reason
	Status int
	// ID is the decision's, which log lines and the person refused see.
	ID string
}

// Error names status, reason and id. It is for logs, not for the client.
func (r *Refusal) Error() string {
	return fmt.Sprintf("gatepost: refused: %d %s (id %s)", r.Status, r.Reason, r.ID)
}

// Unwrap answers the reason, for errors.Is.
func (r *Refusal) Unwrap() error { return r.Reason }

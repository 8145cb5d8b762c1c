package gatepost

// #include "shim.h"
import "C"

import (
	"fmt"
	"time"
	"unsafe"
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
	lengths C.gatepost_flat
	text    string // what gatepost_flat has behind it
}

// Action is what to do.
func (d *Decision) Action() Action {
	if d == nil {
		return Deny
	}
	return Action(d.lengths.action)
}

// Status is the HTTP status; 200 for Allow and Pass.
func (d *Decision) Status() int {
	if d.none() {
		return 500
	}
	return int(d.lengths.status)
}

// Reason is why. For logs; what the person may know is in the body.
func (d *Decision) Reason() Reason {
	if d.none() {
		return ReasonInternal
	}
	return Reason(d.lengths.reason)
}

// none tells whether this is no decision of an engine.
func (d *Decision) none() bool { return d == nil || d.lengths.status == 0 }

// RetryAfter is how long it takes until another try may succeed; 0: not said.
func (d *Decision) RetryAfter() time.Duration {
	if d == nil {
		return 0
	}
	return time.Duration(d.lengths.retry_after) * time.Second
}

// Generation tells which of the engine's policies decided: Engine.Generation at that moment.
func (d *Decision) Generation() uint64 {
	if d == nil {
		return 0
	}
	return uint64(d.lengths.generation)
}

// ID is what a user reads to support and what the log is searched by.
func (d *Decision) ID() string {
	if d == nil {
		return ""
	}
	return d.text[len(d.text)-int(d.lengths.id):]
}

// Subject is who was recognised, also where the request is refused; empty: nobody.
func (d *Decision) Subject() string { return d.string(0) }

// Issuer is whose subject it is; empty for local users. Issuer and subject are the person, never the subject alone.
func (d *Decision) Issuer() string { return d.string(1) }

// Scheme is the scheme that was used or tried, like "basic"; empty: none.
func (d *Decision) Scheme() string { return d.string(2) }

// Roles are those of who was recognised.
func (d *Decision) Roles() []string { return split(d.string(3), ',') }

// Scopes are those of what was used to log in.
func (d *Decision) Scopes() []string { return split(d.string(4), ' ') }

// Identity is who was recognised; ok is false where nobody was.
func (d *Decision) Identity() (identity Identity, ok bool) {
	return Identity{d}, d != nil && d.lengths.subject != 0
}

// ResponseHeaders are header fields for the answer to the client, on every action.
func (d *Decision) ResponseHeaders() []Header {
	return d.headers(d.eachResponse)
}

// UpstreamHeaders are header fields for the application, to apply after those to strip are gone, on Allow.
func (d *Decision) UpstreamHeaders() []Header {
	return d.headers(d.eachUpstream)
}

// Strip names the request fields to remove before the application sees the request, on every action.
func (d *Decision) Strip() []string {
	names := []string{}
	d.eachStrip(func(name string) { names = append(names, name) })
	return names
}

// Body is the body of the answer; its type is among the response headers. Empty on Allow and Pass, and for HEAD.
func (d *Decision) Body() string {
	if d == nil {
		return ""
	}
	end := len(d.text) - int(d.lengths.id)
	return d.text[end-int(d.lengths.body) : end]
}

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

const (
	number       = unsafe.Sizeof(C.uint32_t(0))
	fieldNumbers = 3 * number // name, value, mode
)

// at reads a number of the table.
func (d *Decision) at(offset uintptr) int {
	_ = d.text[offset+number-1]
	// C wrote it with memcpy, in the byte order of this machine.
	bytes := (*[number]byte)(unsafe.Add(unsafe.Pointer(unsafe.StringData(d.text)), offset))
	var value C.uint32_t
	*(*[number]byte)(unsafe.Pointer(&value)) = *bytes
	return int(value)
}

func (d *Decision) table() uintptr {
	return uintptr(d.lengths.response_header_count+d.lengths.upstream_header_count)*fieldNumbers + uintptr(d.lengths.strip_count)*number
}

// string is one of the strings that stand first in every decision.
func (d *Decision) string(index int) string {
	if d == nil {
		return ""
	}
	l := &d.lengths
	start := int(d.table())
	for i, length := range [...]C.uint32_t{l.subject, l.issuer, l.scheme, l.roles, l.scopes} {
		if i == index {
			return d.text[start : start+int(length)]
		}
		start += int(length)
	}
	return ""
}

// fields is where the first header field begins.
func (d *Decision) fields() int {
	l := &d.lengths
	return int(d.table()) + int(l.subject+l.issuer+l.scheme+l.roles+l.scopes)
}

// each walks over the header fields from one entry of the table on, and answers where the text goes on.
func (d *Decision) each(entry uintptr, count C.uint32_t, start int, visit func(name, value string, mode Mode)) int {
	for ; count > 0; count-- {
		middle := start + d.at(entry)
		end := middle + d.at(entry+number)
		if visit != nil {
			visit(d.text[start:middle], d.text[middle:end], Mode(d.at(entry+2*number)))
		}
		start, entry = end, entry+fieldNumbers
	}
	return start
}

func (d *Decision) eachResponse(visit func(name, value string, mode Mode)) {
	if d != nil && d.lengths.response_header_count != 0 {
		d.each(0, d.lengths.response_header_count, d.fields(), visit)
	}
}

func (d *Decision) eachUpstream(visit func(name, value string, mode Mode)) {
	if d != nil && d.lengths.upstream_header_count != 0 {
		start := d.each(0, d.lengths.response_header_count, d.fields(), nil)
		d.each(uintptr(d.lengths.response_header_count)*fieldNumbers, d.lengths.upstream_header_count, start, visit)
	}
}

func (d *Decision) eachStrip(visit func(name string)) {
	if d == nil || d.lengths.strip_count == 0 {
		return
	}
	both := d.lengths.response_header_count + d.lengths.upstream_header_count
	start, entry := d.each(0, both, d.fields(), nil), uintptr(both)*fieldNumbers
	for count := d.lengths.strip_count; count > 0; count-- {
		end := start + d.at(entry)
		visit(d.text[start:end])
		start, entry = end, entry+number
	}
}

func (d *Decision) headers(each func(func(name, value string, mode Mode))) []Header {
	headers := []Header{}
	each(func(name, value string, mode Mode) { headers = append(headers, Header{name, value, mode}) })
	return headers
}

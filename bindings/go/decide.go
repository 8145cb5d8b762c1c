package gatepost

// #include "shim.h"
import "C"

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"runtime"
	"runtime/cgo"
	"time"
	"unsafe"
)

// Field is one header field of a request, as the client sent it.
type Field struct {
	Name, Value string
}

// Request is a request of a server that is not net/http, for DecideRequest. Everything is as the client sent it: nothing
// decoded, nothing made neat.
type Request struct {
	// Context ends waiting for a slow check, and is handed to OnEvent; nil: context.Background().
	Context context.Context
	// Method is the method.
	Method string
	// Target is the raw request-target, with its query. A path begins with "/"; one without it is refused.
	Target string
	// Host is :authority (HTTP/2, HTTP/3), or what the server takes for Host; empty: the Host field counts.
	Host string
	// Peer is the address of the direct peer, with or without a port, or "unix:". Empty or anything else is nobody in
	// particular: such clients share one failure counter, no network requirement holds, and no proxy is trusted.
	Peer string
	// ID is the program's own id for the request; empty: the engine draws one.
	ID string
	// ClientCert is the client certificate of the connection in DER, from a handshake in which the client proved that it
	// holds its key; nil: none.
	ClientCert []byte
	// CertVerified tells that the certificate's chain was verified up to an authority that issues client certificates.
	CertVerified bool
	// TLS tells that the connection to the direct peer is TLS.
	TLS bool
	// Header holds all fields in the order received, repeated ones one by one.
	Header []Field
	// Body is the body, where WantsBody asked for it.
	Body []byte
	// BodyComplete tells that Body is all of it.
	BodyComplete bool
	// Now is the time to decide at; zero: the engine's clock.
	Now time.Time
}

// scratch is what a call needs; it is used again and again. What C writes lies here and not on a stack, where Go would
// clear all of it first.
type scratch struct {
	call  C.gp_go_call
	place *place
	// For calls that copy their strings.
	bytes []byte
	table []C.uint32_t
	// A text that was too long for the call.
	long string
	// What was decided before.
	known [mostKnown]*answer
	// Memory for decisions, of which several are made at once: each on its own would cost more than all else that Go
	// does for it.
	fresh []made
}

// made is a decision, and room for its id.
type made struct {
	decision Decision
	room     room
}

// atOnce is how many decisions are made at once. One that a program holds on to keeps the others' memory.
const atOnce = 8

// One request with much in it does not make every later one hold on to as much memory.
const mostKept = 128 << 10

func newScratch(g *gate) *scratch { return &scratch{place: g.place()} }

// get takes one out, ready for a request.
func (c *core) get() *scratch {
	s := c.pool.Get().(*scratch)
	s.call.request = C.gp_go_request{}
	return s
}

func (c *core) put(s *scratch) {
	if cap(s.bytes) <= mostKept {
		// It may hold a password.
		clear(s.bytes)
		s.bytes, s.table, s.long = s.bytes[:0], s.table[:0], ""
		c.pool.Put(s)
	}
}

// add takes a string in and answers its length. A string too long for the lengths makes the whole too long, which
// decide refuses.
func (s *scratch) add(value string) C.uint32_t {
	s.bytes = append(s.bytes, value...)
	return C.uint32_t(len(value))
}

// DecideRequest decides a request of a server that is not net/http. A refusal is a decision, whose Err says why; on an
// error no decision could be made, and the request must be refused.
//
// Once for each request of a client: what the server does with it internally has the same decision. It blocks where a
// password must be hashed or the state be read. The request is not kept.
func (e *Engine) DecideRequest(request *Request) (*Decision, error) {
	c := e.opened()
	if c == nil {
		return nil, errNotOpened
	}
	ctx := request.Context
	if ctx == nil {
		ctx = context.Background()
	}
	s := c.get()
	fits, err := false, error(nil)
	if !c.told {
		fits, err = c.lendRequest(ctx, request, s)
	}
	if !fits {
		s.pack(request)
		err = c.decide(ctx, s)
	}
	runtime.KeepAlive(e)
	if err != nil {
		c.put(s)
		return nil, err
	}
	d := s.decision(s.said())
	c.put(s)
	return d, nil
}

func (s *scratch) pack(request *Request) {
	r := &s.call.request
	r.method = s.add(request.Method)
	r.target = s.add(request.Target)
	r.host = s.add(request.Host)
	r.peer = s.add(request.Peer)
	r.request_id = s.add(request.ID)
	s.bytes = append(append(s.bytes, request.ClientCert...), request.Body...)
	r.client_cert_der = C.uint32_t(len(request.ClientCert))
	r.body = C.uint32_t(len(request.Body))
	bytes, table := s.bytes, s.table
	for i := range request.Header {
		name, value := request.Header[i].Name, request.Header[i].Value
		bytes = append(append(bytes, name...), value...)
		table = append(table, C.uint32_t(len(name)), C.uint32_t(len(value)))
	}
	s.bytes, s.table = bytes, table
	r.header_count = C.uint32_t(len(request.Header))
	r.flags, r.now = request.flags(), unix(request.Now)
}

func (request *Request) flags() (flags C.uint32_t) {
	if request.TLS {
		flags |= C.GATEPOST_REQUEST_TLS
	}
	if request.BodyComplete {
		flags |= C.GATEPOST_REQUEST_BODY_COMPLETE
	}
	if request.CertVerified {
		flags |= C.GATEPOST_REQUEST_CERT_VERIFIED
	}
	return flags
}

// WantsBody tells whether deciding this request takes its body, so that it is to be read first: the most bytes of it
// that are taken; 0: none. Only the engine's own endpoints ever do; this release has none that does.
func (e *Engine) WantsBody(request *Request) (most uint64, err error) {
	c := e.opened()
	if c == nil {
		return 0, errNotOpened
	}
	s := c.get()
	defer c.put(s)
	s.pack(request)
	err = e.call(func(engine *C.gatepost_engine) error {
		if len(s.bytes) > math.MaxUint32 {
			return failure(C.GATEPOST_ERR_INVALID_ARGUMENT, nil)
		}
		most = uint64(C.gp_go_wants_body(engine, &s.call.request, s.start(), s.lengths()))
		return nil
	})
	return most, err
}

func (s *scratch) start() *C.char {
	return (*C.char)(unsafe.Pointer(unsafe.SliceData(s.bytes)))
}

func (s *scratch) lengths() *C.uint32_t {
	return unsafe.SliceData(s.table)
}

// Decide decides a request of net/http, as its server hands it over: before a router or another middleware has changed
// it. A refusal is a decision, whose Err says why; on an error no decision could be made, and the request must be
// refused: 503 where IsTemporary(err), else 500.
//
// Once for each request of a client. It blocks where a password must be hashed or the state be read; the request's
// context ends waiting for that. What to do with the decision, Middleware and Admit do: the request itself stays as it is
// here, with what a client may have forged.
func (e *Engine) Decide(r *http.Request) (*Decision, error) {
	c := e.opened()
	s, err := e.decideHTTP(r, false)
	if err != nil {
		return nil, err
	}
	d := s.decision(s.said())
	c.put(s)
	return d, nil
}

// decideHTTP answers what has the decision in it, for the core to put back. With strip it removes the fields to strip.
func (e *Engine) decideHTTP(r *http.Request, strip bool) (*scratch, error) {
	c := e.opened()
	if c == nil {
		return nil, errNotOpened
	}
	if r == nil || r.RequestURI == "" {
		return nil, ErrNoTarget
	}
	var id string
	if c.options.RequestID != nil {
		id = c.options.RequestID(r)
	}
	s := c.get()
	fits, err := false, error(nil)
	if !c.told {
		fits, err = c.lendHTTP(r, id, s, strip)
	}
	if !fits {
		s.packHTTP(r, id)
		if err = c.decide(r.Context(), s); err == nil && strip {
			said, _ := s.said()
			said.plan().stripAll(r.Header)
		}
	}
	runtime.KeepAlive(e)
	if err != nil {
		c.put(s)
		return nil, err
	}
	return s, nil
}

// decide is the one crossing for a request that was copied, and further ones where something slow is left or the text is
// long.
func (c *core) decide(ctx context.Context, s *scratch) error {
	if len(s.bytes) > math.MaxUint32 {
		return failure(C.GATEPOST_ERR_INVALID_ARGUMENT, nil)
	}
	if !c.gate.enter(s.place) {
		return ErrClosed
	}
	if c.told {
		return c.decideTold(ctx, s)
	}
	C.gp_go_decide(c.number(), &s.call, s.start(), s.lengths())
	return c.decideFurther(ctx, s)
}

// decideTold decides for an engine that calls back into Go. Its events find the request's context by a handle.
func (c *core) decideTold(ctx context.Context, s *scratch) error {
	// Whatever a callback does, Close must not wait for this call for ever.
	defer c.gate.leave(s.place)
	if c.options.OnEvent != nil {
		handle := cgo.NewHandle(ctx)
		defer handle.Delete()
		s.call.request.user = C.uintptr_t(handle)
	}
	C.gp_go_decide_told(c.number(), &s.call, s.start(), s.lengths())
	if s.call.status == C.GATEPOST_PENDING {
		if err := c.slot(ctx, &s.call); err != nil {
			return err
		}
		defer c.done()
		C.gp_go_run_told(s.call.job, &s.call)
	}
	return s.finish()
}

// decideFurther does what is left: slow work, or a text that needs more room.
func (c *core) decideFurther(ctx context.Context, s *scratch) error {
	defer c.gate.leave(s.place)
	if s.call.status == C.GATEPOST_PENDING {
		if err := c.slot(ctx, &s.call); err != nil {
			return err
		}
		defer c.done()
		C.gp_go_run(s.call.job, &s.call)
	}
	return s.finish()
}

// behind is how long what stands behind the decision is.
func (s *scratch) behind() int { return int(s.call.flat.size) - int(unsafe.Sizeof(s.call.flat)) }

// finish takes out what the library has answered in the end.
func (s *scratch) finish() error {
	if s.call.status == C.GATEPOST_OK && s.call.held != 0 {
		text := make([]byte, s.behind())
		C.gp_go_text(&s.call, (*C.char)(unsafe.Pointer(unsafe.SliceData(text))))
		s.long = unsafe.String(unsafe.SliceData(text), len(text))
	}
	if s.call.status != C.GATEPOST_OK {
		return failure(s.call.status, nil)
	}
	return nil
}

// number is the engine as a number, for which no rule about pointers need be checked at each call.
func (c *core) number() C.uintptr_t { return C.uintptr_t(uintptr(unsafe.Pointer(c.pointer))) }

// text is what C has written behind the decision.
func (s *scratch) text() []byte {
	if s.long != "" {
		return unsafe.Slice(unsafe.StringData(s.long), len(s.long))
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&s.call.text)), s.behind())
}

// room is where the id of a decision lies, which then needs no memory of its own.
type room [24]byte

// take answers the id in memory that nobody writes any more.
func (r *room) take(id []byte) string {
	if len(id) > len(r) {
		return string(id)
	}
	return unsafe.String(&r[0], copy(r[:], id))
}

// decision makes a Decision of what said has answered. It is in no memory of the request's, which a program that holds on
// to the decision, or to an identity, would keep with its credentials.
func (s *scratch) decision(said *answer, id []byte) *Decision {
	if len(s.fresh) == 0 {
		s.fresh = make([]made, atOnce)
	}
	d := &s.fresh[0]
	s.fresh = s.fresh[1:]
	d.decision = Decision{said, d.room.take(id)}
	return &d.decision
}

// slot waits for a slot for the slow part of a decision, unless nobody wants it any more. done gives it back.
func (c *core) slot(ctx context.Context, call *C.gp_go_call) error {
	select {
	case c.slots <- struct{}{}:
		return nil
	default:
	}
	err := c.wait(ctx)
	if err != nil {
		C.gp_go_cancel(call.job)
	}
	return err
}

func (c *core) done() { <-c.slots }

// wait gets a slot.
func (c *core) wait(ctx context.Context) error {
	defer c.waiting.Add(-1)
	if c.waiting.Add(1) > int64(c.options.MostWaiting) {
		return &Error{Status: StatusOverloaded, Message: fmt.Sprintf(
			"%d requests wait already for one of %d slow checks; Options.MostWaiting and Options.SlowChecks set how many",
			c.options.MostWaiting, c.options.SlowChecks)}
	}
	select {
	case c.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return &gone{context.Cause(ctx)}
	case <-c.gate.closing:
		return ErrClosed
	}
}

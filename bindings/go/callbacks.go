package gatepost

/*
#include "shim.h"
*/
import "C"

import (
	"context"
	"fmt"
	"runtime/cgo"
	"time"
)

// Severity is how much an event asks for attention.
type Severity uint32

const (
	// Info: all is well.
	Info Severity = C.GATEPOST_INFO
	// Notice: somebody was refused, or something was changed.
	Notice Severity = C.GATEPOST_NOTICE
	// Warning: somebody may be trying to get in, or something was given up.
	Warning Severity = C.GATEPOST_WARNING
	// Fault: something does not work.
	Fault Severity = C.GATEPOST_ERROR
)

// Event is something that happened.
type Event struct {
	// Line is one JSON object without line breaks, as docs/EVENTS.md has it. Never a secret.
	Line string
	// Name says what happened: "decision", "policy_reloaded" and so on.
	Name string
	// ID is the decision's; empty where it is about none.
	ID string
	// Severity is how much it asks for attention.
	Severity Severity
	// Status is the decision's HTTP status; 0 where it is about none.
	Status int
	// Action is the decision's; Deny where it is about none.
	Action Action
	// Reason is the decision's; 0 where it is about none.
	Reason Reason
}

// Document is what Options.Fetch gets: one GET, which verifies the server's certificate and name, and follows no
// redirect.
type Document struct {
	// URL is the https address.
	URL string
	// ETag is sent as If-None-Match, where it is not empty.
	ETag string
	// Accept is sent as Accept.
	Accept string
	// CA are certificates in PEM of the authorities that may vouch for the server, and no others; empty: the system's.
	CA string
	// Largest is the most octets of content that are taken.
	Largest uint64
	// Timeout is when the answer comes too late; the context ends then.
	Timeout time.Duration
}

// Fetched is what a server said.
type Fetched struct {
	// Status is the HTTP status.
	Status int
	// Body is the content.
	Body string
	// ETag, CacheControl and ContentType are the fields of these names.
	ETag, CacheControl, ContentType string
}

// rawOptions writes the options for the library, which from then on owns the handles of the callbacks.
func (c *core) rawOptions() C.gatepost_options {
	var raw C.gatepost_options
	raw.struct_size = C.sizeof_gatepost_options
	raw.hashing_memory = C.uint64_t(c.options.HashingMemory)
	if c.options.ReadOnly {
		raw.flags |= C.GATEPOST_OPTION_READ_ONLY
	}
	handle := func(wanted bool) C.uintptr_t {
		if !wanted {
			return 0
		}
		return C.uintptr_t(cgo.NewHandle(&callbacks{&c.options, c.ended}))
	}
	C.gp_go_callbacks(&raw, handle(c.options.Clock != nil), handle(c.options.OnEvent != nil), handle(c.options.Fetch != nil))
	return raw
}

// callbacks is what a handle stands for. It does not refer to the core, which so can end while the library still holds
// a handle.
type callbacks struct {
	options *Options
	ended   context.Context
}

func held(data C.uintptr_t) *callbacks {
	return cgo.Handle(data).Value().(*callbacks)
}

// saved keeps a panic of the program's own code from unwinding through the library, which would be left with its locks
// held.
func (b *callbacks) saved(what string) {
	if fault := recover(); fault != nil {
		c := core{options: *b.options}
		c.logger().Error("gatepost: a callback panicked", "callback", what, "panic", fmt.Sprint(fault))
	}
}

//export gatepostGoClock
func gatepostGoClock(data C.uintptr_t) (seconds C.int64_t) {
	b := held(data)
	// Where the clock fails, time must not stand still: expired tokens would be good again.
	seconds = C.int64_t(time.Now().Unix())
	defer b.saved("Clock")
	return C.int64_t(b.options.Clock().Unix())
}

//export gatepostGoEvent
func gatepostGoEvent(data, user C.uintptr_t, raw *C.gatepost_event) {
	b := held(data)
	defer b.saved("OnEvent")
	ctx := context.Background()
	if user != 0 {
		ctx = cgo.Handle(user).Value().(context.Context)
	}
	b.options.OnEvent(ctx, Event{
		Line:     text(raw.line),
		Name:     text(raw.name),
		ID:       text(raw.id),
		Severity: Severity(raw.severity),
		Status:   int(raw.status),
		Action:   Action(raw.action),
		Reason:   Reason(raw.reason),
	})
}

//export gatepostGoFetch
func gatepostGoFetch(data C.uintptr_t, raw *C.gatepost_fetch) {
	b := held(data)
	wanted := document(raw)
	fetched, err := b.fetch(wanted)
	if status := answerFetch(raw.reply, fetched, err); status != C.GATEPOST_OK {
		c := core{options: *b.options}
		c.logger().Error("gatepost: a fetched document was not taken", "url", wanted.URL, "error", Status(status))
	}
}

func document(raw *C.gatepost_fetch) Document {
	return Document{
		URL:     text(raw.url),
		ETag:    text(raw.etag),
		Accept:  text(raw.accept),
		CA:      text(raw.ca),
		Largest: uint64(raw.largest),
		Timeout: time.Duration(raw.timeout_ms) * time.Millisecond,
	}
}

func answerFetch(reply *C.gatepost_fetch_reply, fetched Fetched, err error) C.gatepost_status {
	var p pins
	defer p.release()
	answer := C.gatepost_fetched{struct_size: C.sizeof_gatepost_fetched}
	if err != nil {
		answer.error = p.str(err.Error())
	} else {
		answer.status = C.uint32_t(fetched.Status)
		answer.body = p.str(fetched.Body)
		answer.etag = p.str(fetched.ETag)
		answer.cache_control = p.str(fetched.CacheControl)
		answer.content_type = p.str(fetched.ContentType)
	}
	return C.gatepost_fetch_reply_set(reply, &answer)
}

func (b *callbacks) fetch(document Document) (fetched Fetched, err error) {
	ctx, cancel := context.WithTimeout(b.ended, document.Timeout)
	defer cancel()
	err = fmt.Errorf("Options.Fetch panicked")
	defer b.saved("Fetch")
	return b.options.Fetch(ctx, document)
}

//export gatepostGoEnd
func gatepostGoEnd(data C.uintptr_t) {
	cgo.Handle(data).Delete()
}

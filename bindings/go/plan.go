//go:build cgo

package gatepost

import (
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
)

// plan is what an answer changes about a request and about what is sent back, worked out once.
type plan struct {
	response, upstream fields
	strip              []string
	// A bit for each length, modulo 64, of a name to strip: most fields have another one.
	lengths uint64
	// How long the body is, as Content-Length has it.
	length string
}

// fields are those that a header gets.
type fields struct {
	list []field
	// How many values they have.
	values int
	// Whether one must win over what somebody else sets.
	late bool
}

// field is one, or those of one name that follow each other.
type field struct {
	key    string
	mode   Mode
	values []string
}

// plan answers the plan.
func (a *answer) plan() *plan {
	if made := a.made.Load(); made != nil {
		return made
	}
	response, upstream, strip := a.all()
	made := &plan{response: fieldsOf(response), upstream: fieldsOf(upstream), strip: strip, length: strconv.Itoa(int(a.lengths.body))}
	for _, name := range strip {
		made.lengths |= 1 << (len(name) % 64)
	}
	a.made.Store(made)
	return made
}

func fieldsOf(headers []Header) (f fields) {
	f.values = len(headers)
	values := make([]string, 0, f.values)
	for i := range headers {
		key, mode := textproto.CanonicalMIMEHeaderKey(headers[i].Name), headers[i].Mode
		values = append(values, headers[i].Value)
		f.late = f.late || mode != SetIfAbsent
		if last := len(f.list) - 1; last >= 0 && f.list[last].key == key && f.list[last].mode != SetIfAbsent && mode == Append {
			f.list[last].values = values[i-len(f.list[last].values) : i+1]
			continue
		}
		f.list = append(f.list, field{key, mode, values[i : i+1]})
	}
	return f
}

// apply applies the fields. Their values come to lie in room, of which it answers the rest: what is shared would change
// for everybody where a handler writes into it.
func (f *fields) apply(header http.Header, room []string) (rest []string) {
	for i := range f.list {
		one := &f.list[i]
		switch have := header[one.key]; {
		case one.mode == Append && len(have) != 0:
			header[one.key] = append(have, one.values...)
		case one.mode != SetIfAbsent || len(have) == 0:
			n := copy(room, one.values)
			// None may grow into the next.
			header[one.key], room = room[:n:n], room[n:]
		}
	}
	return room
}

// stripAll removes the fields that a client may have made up, however they are spelled: net/http writes names in one
// way, but other servers and middlewares that fill the map do not.
func (p *plan) stripAll(header http.Header) {
	for name := range header {
		p.stripOne(header, name)
	}
}

// stripOne removes a field if it is among the names to strip.
func (p *plan) stripOne(header http.Header, name string) {
	if p.lengths>>(len(name)%64)&1 == 0 {
		return
	}
	for _, stripped := range p.strip {
		if len(stripped) == len(name) && strings.EqualFold(stripped, name) {
			delete(header, name)
		}
	}
}

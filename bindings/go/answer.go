package gatepost

// #include "shim.h"
import "C"

import (
	"bytes"
	"encoding/binary"
	"sync/atomic"
	"unsafe"
)

// answer is what a decision says besides its id, which alone is each decision's own. It is read once for all decisions
// that say the same, as refusals for the same reason do, and requests of the same person. It does not change.
type answer struct {
	lengths C.gatepost_flat
	// What gatepost_flat has behind it, without the id at the end: that of the first decision that said so.
	text string
	// Where in the text the body has that decision's id, for which every other has its own; -1: nowhere.
	hole int
	made atomic.Pointer[plan]
}

// nothing is what a decision says that nobody made.
var nothing = answer{hole: -1}

// How many answers a scratch knows again. Of two that fall on one place, the later stays.
const (
	knownBits = 5
	mostKnown = 1 << knownBits
)

// said is what the library has decided, and the id, which is good until the scratch is put back.
func (s *scratch) said() (*answer, []byte) {
	text := s.text()
	end := len(text) - int(s.call.flat.id)
	text, id := text[:end:end], text[end:]
	place := &s.known[s.placeOf(text)]
	if known := *place; known != nil && known.lengths == s.call.flat && known.says(text, id) {
		return known, id
	}
	*place = s.learn(text, id)
	return *place, id
}

// placeOf is where an answer is looked for: by its numbers, and by how the subject, which stands first, begins and ends.
func (s *scratch) placeOf(text []byte) uint64 {
	const word = 8
	flat := &s.call.flat
	mixed := uint64(flat.size)<<32 ^ uint64(flat.reason)<<16 ^ uint64(flat.body)
	begin := int(flat.response_header_count+flat.upstream_header_count)*fieldNumbers + int(flat.strip_count)*number
	if behind := begin + int(flat.subject); behind >= begin+word && behind <= len(text) {
		mixed ^= binary.NativeEndian.Uint64(text[begin:]) ^ binary.NativeEndian.Uint64(text[behind-word:])<<1
	} else if begin+word <= len(text) {
		mixed ^= binary.NativeEndian.Uint64(text[begin:])
	}
	return mixed * 0x9e3779b97f4a7c15 >> (64 - knownBits)
}

// says tells whether a decision with this text and this id says the same.
func (a *answer) says(text, id []byte) bool {
	if a.hole < 0 || len(text) != len(a.text) {
		return string(text) == a.text
	}
	behind := a.hole + len(id)
	return string(text[:a.hole]) == a.text[:a.hole] && bytes.Equal(text[a.hole:behind], id) && string(text[behind:]) == a.text[behind:]
}

// learn makes an answer of a decision.
func (s *scratch) learn(text, id []byte) *answer {
	a := s.keep(text)
	a.lengths, a.hole = s.call.flat, -1
	body := len(text) - int(a.lengths.body)
	if at := bytes.Index(text[body:], id); at >= 0 && len(id) != 0 {
		a.hole = body + at
	}
	return a
}

// keep makes an answer together with its text, so that it is one piece of memory, and hardly more than it needs.
func (s *scratch) keep(text []byte) *answer {
	switch size := len(text); {
	case s.long != "":
		return &answer{text: s.long[:size]}
	case size <= 56:
		made := new(struct {
			answer
			room [56]byte
		})
		return made.take(made.room[:], text)
	case size <= 184:
		made := new(struct {
			answer
			room [184]byte
		})
		return made.take(made.room[:], text)
	case size <= 312:
		made := new(struct {
			answer
			room [312]byte
		})
		return made.take(made.room[:], text)
	}
	return &answer{text: string(text)}
}

// take copies the text into the room, which nobody writes afterwards.
func (a *answer) take(room, text []byte) *answer {
	a.text = unsafe.String(unsafe.SliceData(room), copy(room, text))
	return a
}

// body is the body for the decision with this id, which is in memory of its own or the answer's.
func (a *answer) body(id string) string {
	begin := len(a.text) - int(a.lengths.body)
	if a.hole < 0 || a.text[a.hole:a.hole+len(id)] == id {
		return a.text[begin:]
	}
	return a.text[begin:a.hole] + id + a.text[a.hole+len(id):]
}

// appendBody is body for memory of the caller's.
func (a *answer) appendBody(to []byte, id []byte) []byte {
	begin := len(to)
	to = append(to, a.text[len(a.text)-int(a.lengths.body):]...)
	if a.hole >= 0 {
		copy(to[begin+a.hole-(len(a.text)-int(a.lengths.body)):], id)
	}
	return to
}

const (
	number       = int(unsafe.Sizeof(C.uint32_t(0)))
	fieldNumbers = 3 * number // name, value, mode
)

// at reads a number of the table, which C wrote in the byte order of this machine.
func (a *answer) at(offset int) int {
	return int(binary.NativeEndian.Uint32(unsafe.Slice(unsafe.StringData(a.text), len(a.text))[offset:]))
}

func (a *answer) table() int {
	l := &a.lengths
	return int(l.response_header_count+l.upstream_header_count)*fieldNumbers + int(l.strip_count)*number
}

// The strings that stand first.
const (
	subject = iota
	issuer
	scheme
	roles
	scopes
)

// string is one of the strings that stand first.
func (a *answer) string(index int) string {
	l := &a.lengths
	start := a.table()
	for i, length := range [...]C.uint32_t{l.subject, l.issuer, l.scheme, l.roles, l.scopes} {
		if i == index {
			return a.text[start : start+int(length)]
		}
		start += int(length)
	}
	return ""
}

// all is everything else: header fields for the answer and for the application, and names to strip.
func (a *answer) all() (response, upstream []Header, strip []string) {
	l := &a.lengths
	start, entry := a.table()+int(l.subject+l.issuer+l.scheme+l.roles+l.scopes), 0
	take := func() string {
		begin := start
		start += a.at(entry)
		entry += number
		return a.text[begin:start]
	}
	fields := func(count C.uint32_t) []Header {
		fields := make([]Header, count)
		for i := range fields {
			fields[i].Name, fields[i].Value = take(), take()
			fields[i].Mode = Mode(a.at(entry))
			entry += number
		}
		return fields
	}
	response, upstream = fields(l.response_header_count), fields(l.upstream_header_count)
	strip = make([]string, l.strip_count)
	for i := range strip {
		strip[i] = take()
	}
	return response, upstream, strip
}

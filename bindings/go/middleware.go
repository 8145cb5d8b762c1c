//go:build cgo

package gatepost

import (
	"io"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
)

// Middleware lets requests through to next that the engine allows, and answers all others. Behind it the header fields
// are gone that a client may have made up, those that the policy's [identity] names are there, and FromContext says who
// it is.
//
// Put it outside of what changes requests or answers them by itself. A request that has a decision of this engine
// already keeps it.
//
// The ResponseWriter is the server's own wherever the decision's fields can be set ahead of next; else it is one that has
// the same of http.Flusher, http.Hijacker, http.Pusher and io.ReaderFrom, and Unwrap for http.ResponseController.
func (e *Engine) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		held, admitted, ok := e.admit(w, r)
		if !ok {
			return
		}
		if held == nil || !held.decision.late() {
			if held != nil {
				held.respond(w.Header())
			}
			next.ServeHTTP(w, admitted)
		} else {
			late := &lateWriter{ResponseWriter: w, decision: &held.decision}
			next.ServeHTTP(late.dressed(), admitted)
			late.begin()
		}
		// The handler had a copy of the request. The server removes the temporary files of a form that it finds in its
		// own, and what measures requests from outside wants the pattern of the route.
		r.MultipartForm, r.Pattern = admitted.MultipartForm, admitted.Pattern
	})
}

// Admit decides a request and, unless it is let through, answers it. For frameworks whose middleware has another shape
// than that of net/http:
//
//	router.Use(func(c *gin.Context) {
//		r, ok := engine.Admit(c.Writer, c.Request)
//		if !ok {
//			c.Abort()
//			return
//		}
//		c.Request = r
//	})
//
// The request that it answers stands for the one handed in from then on: its context has the identity, and its header
// fields, which it shares with the one handed in, are those that the application may see. ok is false where the answer
// has been sent.
//
// The decision's fields for the answer are set at once; a handler that sets a field of the same name replaces it.
func (e *Engine) Admit(w http.ResponseWriter, r *http.Request) (request *http.Request, ok bool) {
	held, request, ok := e.admit(w, r)
	if ok && held != nil {
		held.respond(w.Header())
	}
	return request, ok
}

// admit decides and strips, and answers what is refused. The decision is nil where the request had one already.
func (e *Engine) admit(w http.ResponseWriter, r *http.Request) (*decided, *http.Request, bool) {
	c, parent := e.opened(), r.Context()
	if before, ok := parent.Value(decisionKey{}).(*decided); ok && before.engine == c {
		return nil, r, true
	}
	s, err := e.decideHTTP(r, true)
	if err != nil {
		c.fail(w, r, err)
		return nil, nil, false
	}
	held := s.hold()
	held.Context, held.engine = parent, c
	d := &held.decision
	c.put(s)
	switch d.Action() {
	case Allow:
		if d.lengths.upstream_header_count != 0 {
			if r.Header == nil {
				r.Header = http.Header{}
			}
			held.hand(r.Header)
		}
	case Pass:
	default:
		d.send(w)
		return nil, nil, false
	}
	return held, r.WithContext(held), true
}

// fail answers a request for which no decision could be made.
func (c *core) fail(w http.ResponseWriter, r *http.Request, err error) {
	if c == nil {
		c = &core{}
	}
	if c.options.OnError != nil {
		c.options.OnError(w, r, err)
		return
	}
	if r.Context().Err() == nil {
		c.logger().ErrorContext(r.Context(), "gatepost: no decision, the request is refused", "method", r.Method, "error", err)
	}
	status := http.StatusInternalServerError
	if IsTemporary(err) {
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, http.StatusText(status), status)
}

// hold makes a context of the decision, with room for the values of its fields in the same piece of memory.
func (s *scratch) hold() *decided {
	if fields := s.call.flat.response_header_count + s.call.flat.upstream_header_count; fields == 0 || fields > fewValues {
		held, room := roomFor[decided](s)
		s.fill(&held.decision, room)
		return held
	}
	with, room := roomFor[decidedWithValues](s)
	with.decided.values = with.room[:0]
	s.fill(&with.decided.decision, room)
	return &with.decided
}

// fewValues is how many fields a decision that lets through usually has at most.
const fewValues = 4

type decidedWithValues struct {
	decided decided
	room    [fewValues]string
}

// respond sets the fields for the answer, ahead of the handler.
func (held *decided) respond(header http.Header) {
	held.decision.eachResponse(func(name, value string, mode Mode) { held.apply(header, name, value, mode) })
}

// hand applies the fields for the application.
func (held *decided) hand(header http.Header) {
	held.decision.eachUpstream(func(name, value string, mode Mode) { held.apply(header, name, value, mode) })
}

// apply applies a field. The values of those that replace others lie together, of which none may grow into the next.
func (held *decided) apply(header http.Header, name, value string, mode Mode) {
	if mode == Append {
		apply(header, name, value, mode)
		return
	}
	key := textproto.CanonicalMIMEHeaderKey(name)
	if mode == SetIfAbsent && len(header[key]) != 0 {
		return
	}
	held.values = append(held.values, value)
	last := len(held.values)
	header[key] = held.values[last-1 : last : last]
}

// strip removes the fields that a client may have made up, however they are spelled: net/http writes names in one way,
// but other servers and middlewares that fill the map do not.
func (d *Decision) strip(header http.Header) {
	for name := range header {
		d.stripIf(header, name)
	}
}

// stripIf removes a field if it is among the names to strip.
func (d *Decision) stripIf(header http.Header, name string) {
	d.eachStrip(func(stripped string) {
		if len(stripped) == len(name) && strings.EqualFold(stripped, name) {
			delete(header, name)
		}
	})
}

// stripLengths has a bit for each length, modulo 64, of a name to strip: most fields have another one.
func (d *Decision) stripLengths() (lengths uint64) {
	entry := uintptr(d.lengths.response_header_count+d.lengths.upstream_header_count) * fieldNumbers
	for count := d.lengths.strip_count; count > 0; count-- {
		lengths |= 1 << (d.at(entry) % 64)
		entry += number
	}
	return lengths
}

// send answers a request that is not let through: status, fields and body, and nothing else.
func (d *Decision) send(w http.ResponseWriter) {
	header := w.Header()
	d.respond(header)
	if body := d.Body(); body != "" {
		header["Content-Length"] = []string{strconv.Itoa(len(body))}
		w.WriteHeader(d.Status())
		// The client may have gone; there is nobody to tell.
		_, _ = io.WriteString(w, body)
		return
	}
	w.WriteHeader(d.Status())
}

// respond applies the fields for the answer.
func (d *Decision) respond(header http.Header) {
	d.eachResponse(func(name, value string, mode Mode) { apply(header, name, value, mode) })
}

// late tells whether a field for the answer must win over what the handler sets.
func (d *Decision) late() (late bool) {
	d.eachResponse(func(_, _ string, mode Mode) { late = late || mode != SetIfAbsent })
	return late
}

func apply(header http.Header, name, value string, mode Mode) {
	key := textproto.CanonicalMIMEHeaderKey(name)
	switch mode {
	case Append:
		header[key] = append(header[key], value)
	case SetIfAbsent:
		if len(header[key]) == 0 {
			header[key] = []string{value}
		}
	default:
		header[key] = []string{value}
	}
}

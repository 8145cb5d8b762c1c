//go:build cgo

package gatepost

import "net/http"

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
		held, late, ok := e.admit(w, r, true)
		if !ok {
			return
		}
		if held == nil {
			next.ServeHTTP(w, r)
			return
		}
		admitted := &held.request
		if late == nil {
			next.ServeHTTP(w, admitted)
		} else {
			late := &lateWriter{ResponseWriter: w, response: late}
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
	held, _, ok := e.admit(w, r, false)
	switch {
	case !ok:
		return nil, false
	case held == nil:
		return r, true
	}
	return &held.request, true
}

// admitted is a request that was let through: what the handler gets, and what it gets besides but for the decision, in
// one piece of memory.
type admitted struct {
	request http.Request
	decided decided
	values  [fewValues]string
}

// fewValues is how many fields a decision that lets through has at most as a rule.
const fewValues = 4

// admit decides and strips, and answers what is refused. Where the request had a decision already there is nothing new.
// With mayWait it leaves fields for the answer that must win over the handler's to the caller.
func (e *Engine) admit(w http.ResponseWriter, r *http.Request, mayWait bool) (held *admitted, late *fields, ok bool) {
	c, parent := e.opened(), r.Context()
	if before, ok := parent.Value(decisionKey{}).(*decided); ok && before.engine == c {
		return nil, nil, true
	}
	s, err := e.decideHTTP(r, true)
	if err != nil {
		c.fail(w, r, err)
		return nil, nil, false
	}
	said, id := s.said()
	action := Action(said.lengths.action)
	if action != Allow && action != Pass {
		s.send(w, said, id)
		c.put(s)
		return nil, nil, false
	}
	held = new(admitted)
	held.decided = decided{parent, s.decision(said, id), c}
	c.put(s)
	plan, room := said.plan(), held.values[:]
	if count := plan.response.values + plan.upstream.values; count > len(room) {
		room = make([]string, count)
	}
	if action == Allow && plan.upstream.values != 0 {
		if r.Header == nil {
			r.Header = http.Header{}
		}
		room = plan.upstream.apply(r.Header, room)
	}
	if plan.response.late && mayWait {
		late = &plan.response
	} else if plan.response.values != 0 {
		plan.response.apply(w.Header(), room)
	}
	// WithContext is small enough to be compiled into this, so that what it makes is on the stack.
	held.request = *r.WithContext(&held.decided)
	return held, late, true
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

// send answers a request that is not let through: status, fields and body, and nothing else.
func (s *scratch) send(w http.ResponseWriter, said *answer, id []byte) {
	header, plan := w.Header(), said.plan()
	room := make([]string, plan.response.values+1)
	plan.response.apply(header, room)
	if said.lengths.body == 0 {
		w.WriteHeader(said.status())
		return
	}
	last := len(room) - 1
	room[last] = plan.length
	header["Content-Length"] = room[last:]
	// A password of the request may be longer than what takes its place.
	clear(s.bytes)
	s.bytes = said.appendBody(s.bytes[:0], id)
	w.WriteHeader(said.status())
	// The client may have gone; there is nobody to tell.
	_, _ = w.Write(s.bytes)
}

package gatepost

// #include "shim.h"
import "C"

import (
	"context"
	"math"
	"net/http"
	"unsafe"
)

// few is how many header fields fit into one call without copying them.
const few = C.GP_GO_FEW

// lentStrings is where the strings of a request lie: method, target, host, peer, id and certificate, then name and value
// of each field. For the time of one call the library reads them there.
//
// They are a variable of the function that fills them: so they lie on its stack, and filling them costs no write
// barriers. That does not go with an engine that calls back into Go, during which stacks move.
type lentStrings [6 + 2*few]*C.char

// lend is a string's place, and its length.
func lend(s string) (*C.char, C.uint32_t) {
	return (*C.char)(unsafe.Pointer(unsafe.StringData(s))), C.uint32_t(len(s))
}

func lendBytes(b []byte) (*C.char, C.uint32_t) {
	return (*C.char)(unsafe.Pointer(unsafe.SliceData(b))), C.uint32_t(len(b))
}

// lendRequest decides; fits is false for a request that must be copied, as all must that are too long for the lengths.
func (c *core) lendRequest(ctx context.Context, request *Request, s *scratch) (fits bool, err error) {
	fields := request.Header
	if len(fields) > few || len(request.Body) != 0 {
		return false, nil
	}
	var p lentStrings
	call := &s.call
	r := &call.request
	p[0], r.method = lend(request.Method)
	p[1], r.target = lend(request.Target)
	p[2], r.host = lend(request.Host)
	p[3], r.peer = lend(request.Peer)
	p[4], r.request_id = lend(request.ID)
	p[5], r.client_cert_der = lendBytes(request.ClientCert)
	longest := len(request.Method) | len(request.Target) | len(request.Host) | len(request.Peer) | len(request.ID) | len(request.ClientCert)
	for i := 0; i < len(fields) && i < few; i++ {
		p[6+2*i], call.fields[2*i] = lend(fields[i].Name)
		p[7+2*i], call.fields[2*i+1] = lend(fields[i].Value)
		longest |= len(fields[i].Name) | len(fields[i].Value)
	}
	if longest > math.MaxUint32 {
		return false, nil
	}
	r.header_count = C.uint32_t(len(fields))
	r.flags, r.now = request.flags(), unix(request.Now)
	return true, c.decideLent(ctx, s, &p)
}

// lendHTTP does the same for a request of net/http. With strip it removes the fields to strip.
func (c *core) lendHTTP(request *http.Request, id string, s *scratch, strip bool) (fits bool, err error) {
	method, peer := method(request), peer(request)
	der, flags := connection(request)
	var p lentStrings
	call := &s.call
	r := &call.request
	p[0], r.method = lend(method)
	p[1], r.target = lend(request.RequestURI)
	p[2], r.host = lend(request.Host)
	p[3], r.peer = lend(peer)
	p[4], r.request_id = lend(id)
	p[5], r.client_cert_der = lendBytes(der)
	longest := len(method) | len(request.RequestURI) | len(request.Host) | len(peer) | len(id) | len(der)
	count := 0
	for name, values := range request.Header {
		if name == protocol {
			continue
		}
		for _, value := range values {
			if count >= few {
				return false, nil
			}
			p[6+2*count], call.fields[2*count] = lend(name)
			p[7+2*count], call.fields[2*count+1] = lend(value)
			longest |= len(name) | len(value)
			count++
		}
	}
	if longest > math.MaxUint32 {
		return false, nil
	}
	r.header_count, r.flags = C.uint32_t(count), flags
	if err := c.decideLent(request.Context(), s, &p); err != nil || !strip {
		return true, err
	}
	// As stripAll, without walking over the map once more.
	said, _ := s.said()
	plan := said.plan()
	for i := 0; i < count && i < few; i++ {
		plan.stripOne(request.Header, unsafe.String((*byte)(unsafe.Pointer(p[6+2*i])), int(call.fields[2*i])))
	}
	return true, nil
}

// decideLent is the one crossing, and further ones where something slow is left or the text is long.
func (c *core) decideLent(ctx context.Context, s *scratch, p *lentStrings) error {
	if !c.gate.enter(s.place) {
		return ErrClosed
	}
	call := &s.call
	switch count := call.request.header_count; {
	case count <= 4:
		C.gp_go_lend_4(c.number(), call, p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9], p[10], p[11], p[12], p[13])
	case count <= 10:
		C.gp_go_lend_10(c.number(), call, p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9], p[10], p[11], p[12], p[13],
			p[14], p[15], p[16], p[17], p[18], p[19], p[20], p[21], p[22], p[23], p[24], p[25])
	default:
		C.gp_go_lend_16(c.number(), call, p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9], p[10], p[11], p[12], p[13],
			p[14], p[15], p[16], p[17], p[18], p[19], p[20], p[21], p[22], p[23], p[24], p[25], p[26], p[27], p[28], p[29],
			p[30], p[31], p[32], p[33], p[34], p[35], p[36], p[37])
	}
	if call.status == C.GATEPOST_OK && call.held == 0 {
		c.gate.leave(s.place)
		return nil
	}
	return c.decideFurther(ctx, s)
}

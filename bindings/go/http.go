package gatepost

// #include "shim.h"
import "C"

import (
	"errors"
	"net"
	"net/http"
)

// protocol is no field, but the way in which net/http hands over the pseudo-header of RFC 8441.
const protocol = ":protocol"

// packHTTP takes a request of net/http in, as the client sent it.
func (s *scratch) packHTTP(request *http.Request, id string) {
	r := &s.call.request
	r.method = s.add(method(request))
	r.target = s.add(request.RequestURI)
	r.host = s.add(request.Host)
	r.peer = s.add(peer(request))
	r.request_id = s.add(id)
	der, flags := connection(request)
	s.bytes = append(s.bytes, der...)
	r.client_cert_der, r.flags = C.uint32_t(len(der)), flags
	bytes, table := s.bytes, s.table
	for name, values := range request.Header {
		if name == protocol {
			continue
		}
		for _, value := range values {
			bytes = append(append(bytes, name...), value...)
			table = append(table, C.uint32_t(len(name)), C.uint32_t(len(value)))
		}
	}
	s.bytes, s.table = bytes, table
	r.header_count = C.uint32_t(len(s.table) / 2)
}

// method is the method, of which net/http lets an empty one stand for GET.
func method(request *http.Request) string {
	if request.Method == "" {
		return http.MethodGet
	}
	return request.Method
}

// connection is the client's certificate, and what the flags say of connection and body.
func connection(request *http.Request) (der []byte, flags C.uint32_t) {
	if tls := request.TLS; tls != nil {
		flags |= C.GATEPOST_REQUEST_TLS
		if len(tls.PeerCertificates) > 0 {
			der = tls.PeerCertificates[0].Raw
			if len(tls.VerifiedChains) > 0 {
				flags |= C.GATEPOST_REQUEST_CERT_VERIFIED
			}
		}
	}
	if request.Body == nil || request.Body == http.NoBody {
		flags |= C.GATEPOST_REQUEST_BODY_COMPLETE
	}
	return der, flags
}

// peer is the address of the direct peer. One that came over a socket of the file system has none: that it did, the
// listener tells, and never an address, into which some middleware writes what a client has sent.
func peer(request *http.Request) string {
	if address := request.RemoteAddr; address != "" && (digit(address[0]) >= 0 || address[0] == '[' || address[0] == ':') {
		return address
	}
	if local, ok := request.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && local.Network() == "unix" {
		return "unix:"
	}
	return ""
}

// IsTemporary tells whether the request for which no decision could be made is worth another try: it is then answered
// with 503, and otherwise with 500.
func IsTemporary(err error) bool {
	return errors.Is(err, StatusOverloaded) || errors.Is(err, StatusState) || errors.Is(err, ErrClosed) ||
		errors.Is(err, StatusCancelled)
}

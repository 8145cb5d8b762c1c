package gatepost

// #include "shim.h"
import "C"

import (
	"errors"
	"net"
	"net/http"
)

// packHTTP takes a request of net/http in, as the client sent it.
func (s *scratch) packHTTP(request *http.Request, id func(*http.Request) string) error {
	if request.RequestURI == "" {
		return ErrNoTarget
	}
	r := s.begin()
	if request.Method == "" {
		// What net/http reads into an empty method.
		r.method = s.add(http.MethodGet)
	} else {
		r.method = s.add(request.Method)
	}
	r.target = s.add(request.RequestURI)
	r.host = s.add(request.Host)
	r.peer = s.add(peer(request))
	if id != nil {
		r.request_id = s.add(id(request))
	}
	if tls := request.TLS; tls != nil {
		r.flags |= C.GATEPOST_REQUEST_TLS
		if len(tls.PeerCertificates) > 0 {
			der := tls.PeerCertificates[0].Raw
			s.bytes = append(s.bytes, der...)
			r.client_cert_der = C.uint32_t(len(der))
			if len(tls.VerifiedChains) > 0 {
				r.flags |= C.GATEPOST_REQUEST_CERT_VERIFIED
			}
		}
	}
	if request.Body == nil || request.Body == http.NoBody {
		r.flags |= C.GATEPOST_REQUEST_BODY_COMPLETE
	}
	bytes, table := s.bytes, s.table
	for name, values := range request.Header {
		if name == ":protocol" {
			// No field, but the way in which net/http hands over the pseudo-header of RFC 8441.
			continue
		}
		for _, value := range values {
			bytes = append(append(bytes, name...), value...)
			table = append(table, C.uint32_t(len(name)), C.uint32_t(len(value)))
		}
	}
	s.bytes, s.table = bytes, table
	r.header_count = C.uint32_t(len(s.table) / 2)
	return nil
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

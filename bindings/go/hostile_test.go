package gatepost_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"gatepost.invalid/gatepost"
)

const nested = `
[[route]]
path = "/public/{*rest}"
access = "public"
[[route]]
path = "/public/a/secret"
require = "authenticated"
`

// The mux looks at the path that net/http has decoded, and cleans it: whatever a client makes of the target, it must not
// arrive where the engine has not been asked about.
func TestNoTargetIsServedByARouteThatWasNotJudged(t *testing.T) {
	engine := open(t, policy(t, nested), nil)
	mux, served := http.NewServeMux(), ""
	for pattern, name := range map[string]string{
		"/health": "open", "/public/": "open", "/orders/{id}": "guarded", "/secure": "guarded", "/public/a/secret": "guarded",
	} {
		mux.HandleFunc(pattern, func(http.ResponseWriter, *http.Request) { served = name })
	}
	handler := engine.Middleware(mux)
	parts := []string{
		"/", "/", "//", "health", "orders", "7", "orders/7", "secure", "public", "a", "secret", "a/secret", "public/a/secret", ".", "..", "%2e", "%2E%2e",
		"%2f", "%5c", "\\", ";", ";x=1", "?", "#", "%00", "*", "http://orders.example.com", "http://x", ":80", "@", "%73ecret", "%25", "%252f", "\xff",
		"%c0%af", "%3f", "%23", "&", "=", "+", "|", "%", "%7e", "\t", "{id}",
	}
	methods := []string{"GET", "HEAD", "POST", "PUT", "CONNECT", "OPTIONS", "get"}
	random := rand.New(rand.NewSource(1))
	pick := func(from []string) string { return from[random.Intn(len(from))] }
	counts := map[string]int{}
	for range 40_000 {
		var target strings.Builder
		target.WriteString([]string{"/", "/", "/public/", ""}[random.Intn(4)])
		for range 1 + random.Intn(7) {
			target.WriteString(pick(parts) + []string{"/", ""}[random.Intn(2)])
		}
		line := pick(methods) + " " + target.String()
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(line + " HTTP/1.1\r\nHost: orders.example.com\r\n\r\n")))
		if err != nil {
			continue
		}
		served, r.RemoteAddr = "", "192.0.2.7:4711"
		handler.ServeHTTP(httptest.NewRecorder(), r)
		if counts[served]++; served == "guarded" {
			t.Errorf("%q comes to a guarded handler without credentials", line)
		}
	}
	if counts["open"] < 1000 || counts[""] < 1000 {
		t.Errorf("the targets try nothing: %v", counts)
	}
}

func TestTheHostOfAnAbsoluteTargetIsTheOneThatTheHandlerSees(t *testing.T) {
	engine := open(t, policy(t, perHost), nil)
	for text, wanted := range map[string]gatepost.Reason{
		"GET http://admin.example.com/where HTTP/1.1\r\nHost: orders.example.com\r\n\r\n": gatepost.ReasonPublic,
		"GET http://orders.example.com/where HTTP/1.1\r\nHost: admin.example.com\r\n\r\n": gatepost.ReasonRouteUnknown,
		"GET http:///where HTTP/1.1\r\nHost: admin.example.com\r\n\r\n":                   gatepost.ReasonTargetAmbiguous,
		"CONNECT admin.example.com:443 HTTP/1.1\r\nHost: admin.example.com\r\n\r\n":       gatepost.ReasonTargetAmbiguous,
		"OPTIONS * HTTP/1.1\r\nHost: admin.example.com\r\n\r\n":                           gatepost.ReasonRouteUnknown,
	} {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
		if err != nil {
			t.Fatal(err)
		}
		if got := reason(t, engine, r); got != wanted {
			t.Errorf("%q: %v", text, got)
		}
	}
	// HTTP/2 has both, and a Host that differs is no second opinion.
	r := request("GET", "/where", false)
	r.Host, r.Header["Host"] = "admin.example.com", []string{"admin.example.com"}
	if got := reason(t, engine, r); got != gatepost.ReasonPublic {
		t.Error(got)
	}
	r.Header["Host"] = []string{"orders.example.com"}
	if got := reason(t, engine, r); got != gatepost.ReasonRequestMalformed {
		t.Error(got)
	}
}

func TestFieldsAreStrippedHoweverTheMapSpellsThem(t *testing.T) {
	engine := open(t, withAlice(t, ""), nil)
	for _, target := range []string{"/orders/7", "/health"} {
		r := request("GET", target, true)
		kept := []string{"x-auth-subjec", "x-auth-subjects", "y-auth-subject"}
		forged := []string{"x-auth-subject", "X-AUTH-SUBJECT", "X-Auth-Subject", "x_auth_subject", "X-auth-Roles", "x-auth-issuer"}
		for _, name := range append(kept, forged...) {
			r.Header[name] = []string{"root"}
		}
		admitted, ok := engine.Admit(httptest.NewRecorder(), r)
		if !ok {
			t.Fatal("refused")
		}
		for name, values := range admitted.Header {
			if slices.Contains(values, "root") != slices.Contains(kept, name) {
				t.Errorf("%s: %s %q", target, name, values)
			}
		}
	}
}

// A proxy in Go drops what Connection names after the middleware has set it.
func TestConnectionDoesNotTakeTheIdentityAway(t *testing.T) {
	engine := open(t, withAlice(t, ""), nil)
	seen := make(chan http.Header, 1)
	behind := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header }))
	defer behind.Close()
	address, err := url.Parse(behind.URL)
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(engine.Middleware(httputil.NewSingleHostReverseProxy(address)))
	defer front.Close()
	login := request("GET", "/", true).Header.Get("Authorization")
	for _, fields := range []string{"Connection: close, X-Auth-Subject, x-auth-roles", "Connection: close\r\nconnection: X-AUTH-SUBJECT,X-Auth-Roles"} {
		connection, err := net.Dial("tcp", front.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(connection, "GET /orders/7 HTTP/1.1\r\nHost: orders.example.com\r\nAuthorization: %s\r\n%s\r\n\r\n", login, fields)
		answer, err := io.ReadAll(connection)
		if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200 ") {
			t.Fatalf("%v %s", err, answer)
		}
		if header := <-seen; header.Get("X-Auth-Subject") != alice || header.Get("X-Auth-Roles") != "clerk" {
			t.Errorf("%q: %v", fields, header)
		}
	}
}

func TestTheServerFindsTheFormAndThePatternOfTheHandler(t *testing.T) {
	engine := open(t, policy(t, ""), nil)
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	mux, files, pattern := http.NewServeMux(), 0, ""
	mux.HandleFunc("POST /health", func(_ http.ResponseWriter, r *http.Request) {
		if err := r.ParseMultipartForm(1); err != nil {
			t.Error(err)
		}
		entries, _ := os.ReadDir(folder)
		files = len(entries)
	})
	guarded := engine.Middleware(mux)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		guarded.ServeHTTP(w, r)
		pattern = r.Pattern
	}))
	var form bytes.Buffer
	writer := multipart.NewWriter(&form)
	part, _ := writer.CreateFormFile("file", "file")
	_, _ = part.Write(make([]byte, 11<<20)) // ParseMultipartForm keeps the first 10 MiB in memory
	_ = writer.Close()
	answer, err := http.Post(server.URL+"/health", writer.FormDataContentType(), &form)
	if err != nil || answer.StatusCode != 200 {
		t.Fatal(answer, err)
	}
	server.Close()
	if left, _ := os.ReadDir(folder); files != 1 || len(left) != 0 {
		t.Errorf("%d files of the form, and afterwards %v", files, left)
	}
	if pattern != "POST /health" {
		t.Error(pattern)
	}
}

// RFC 8441, as net/http hands it over.
func TestAWebSocketOverHTTP2IsDecided(t *testing.T) {
	engine := open(t, policy(t, ""), nil)
	r := request("CONNECT", "/health", false)
	r.RequestURI = "/health"
	r.Header[":protocol"] = []string{"websocket"}
	if got := reason(t, engine, r); got != gatepost.ReasonPublic {
		t.Error(got)
	}
	r.Header[":path"] = []string{"/secure"}
	if got := reason(t, engine, r); got != gatepost.ReasonRequestMalformed {
		t.Error(got)
	}
}

func TestAnAddressCannotPassForAUnixSocket(t *testing.T) {
	file := withAlice(t, "\n[proxies]\ntrusted = [\"unix:\"]\nheader = \"X-Forwarded-For\"\n"+perHost)
	engine := open(t, file, nil)
	// As a middleware writes it that takes the address from a field of the client's.
	r := request("GET", "/near", true)
	r.RemoteAddr = "unix:"
	r.Header.Set("X-Forwarded-For", "192.0.2.9")
	if got := reason(t, engine, r); got != gatepost.ReasonNetworkNotAllowed {
		t.Error(got)
	}
	d, err := engine.DecideRequest(&gatepost.Request{
		Method: "GET", Target: "/near", Host: "orders.example.com", Peer: "unix:",
		Header: []gatepost.Field{{Name: "X-Forwarded-For", Value: "192.0.2.9"}, {Name: "Authorization", Value: r.Header.Get("Authorization")}},
	})
	if err != nil || d.Reason() != gatepost.ReasonAllowed {
		t.Errorf("%v %v", d.Reason(), err)
	}
}

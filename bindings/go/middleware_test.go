package gatepost_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"gatepost.invalid/gatepost"
)

// answered sends a request through a handler without a network.
func answered(handler http.Handler, r *http.Request) *http.Response {
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, r)
	return recorder.Result()
}

func body(answer *http.Response) string {
	text, _ := io.ReadAll(answer.Body)
	return string(text)
}

func TestMiddlewareLetsThroughWithIdentityAndWithoutForgeries(t *testing.T) {
	engine := open(t, withAlice(t, ""), nil)
	called := 0
	handler := engine.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		called++
		who, ok := gatepost.FromContext(r.Context())
		if !ok || who.Subject() != alice || !who.HasRole("clerk") || who.Scheme() != "basic" {
			t.Errorf("%v %q", ok, who.Subject())
		}
		if d := gatepost.DecisionFromContext(r.Context()); d.Reason() != gatepost.ReasonAllowed {
			t.Error(d.Reason())
		}
		for name, values := range map[string][]string{
			"X-Auth-Subject": {alice}, "X-Auth-Roles": {"clerk"}, "X-Auth-Scheme": {"basic"}, "X_auth_subject": nil, "X-Auth-Issuer": nil,
		} {
			if !slices.Equal(r.Header[name], values) {
				t.Errorf("%s: %q", name, r.Header[name])
			}
		}
		// One that grows does not run into another.
		for _, name := range []string{"X-Auth-Subject", "X-Auth-Roles", "X-Auth-Scheme"} {
			r.Header.Add(name, "more")
		}
		if got := []string{r.Header.Get("X-Auth-Subject"), r.Header.Get("X-Auth-Roles"), r.Header.Get("X-Auth-Scheme")}; !slices.Equal(got, []string{alice, "clerk", "basic"}) {
			t.Error(got)
		}
		w.WriteHeader(204)
	}))
	r := request("GET", "/orders/7", true)
	r.Header["X-Auth-Subject"] = []string{"root", "admin"}
	r.Header["X_auth_subject"] = []string{"root"}
	r.Header.Set("X-Auth-Issuer", "https://elsewhere.example")
	answer := answered(handler, r)
	if answer.StatusCode != 204 || called != 1 || answer.Header.Get("Cache-Control") != "private, no-store" {
		t.Errorf("%d %d %v", answer.StatusCode, called, answer.Header)
	}
}

func TestMiddlewareAnswersWhatIsRefused(t *testing.T) {
	engine := open(t, withAlice(t, ""), nil)
	handler := engine.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was let through") }))
	for _, method := range []string{"GET", "HEAD"} {
		answer := answered(handler, request(method, "/orders/7", false))
		text := body(answer)
		if answer.StatusCode != 401 || !strings.HasPrefix(answer.Header.Get("WWW-Authenticate"), "Basic realm=") ||
			answer.Header.Get("Content-Type") != "application/problem+json" || answer.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%d %v", answer.StatusCode, answer.Header)
		}
		if method == "HEAD" && text != "" || method == "GET" && !strings.Contains(text, `"reason":"credentials_missing"`) {
			t.Errorf("%s: %q", method, text)
		}
	}
	if answer := answered(handler, request("PUT", "/orders/7", true)); answer.StatusCode != 403 || !strings.Contains(body(answer), "permission_missing") {
		t.Errorf("%d", answer.StatusCode)
	}
	// A browser gets a page.
	browser := request("GET", "/orders/7", false)
	browser.Header.Set("Accept", "text/html")
	if answer := answered(handler, browser); !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") || !strings.Contains(body(answer), "<html") {
		t.Errorf("%v", answer.Header)
	}
}

func TestNobodyIsRecognisedOnAPublicRoute(t *testing.T) {
	engine := open(t, policy(t, ""), nil)
	handler := engine.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if who, ok := gatepost.FromContext(r.Context()); ok || who.Subject() != "" || who.HasRole("") || who.Roles() != nil {
			t.Errorf("%v", who)
		}
		if r.Header.Get("X-Auth-Subject") != "" {
			t.Error("a forged field comes through on a public route")
		}
	}))
	r := request("GET", "/health", false)
	r.Header.Set("X-Auth-Subject", "root")
	if answer := answered(handler, r); answer.StatusCode != 200 {
		t.Error(answer.StatusCode)
	}
	if who, ok := gatepost.FromContext(context.Background()); ok || who.Subject() != "" || who.HasScope("x") {
		t.Error("a context that no engine has seen has an identity")
	}
	if gatepost.DecisionFromContext(context.Background()) != nil {
		t.Error("a context that no engine has seen has a decision")
	}
}

func TestWhatIsNotOursPassesStripped(t *testing.T) {
	file := policy(t, "")
	engine := open(t, file, nil)
	rewrite(t, file, "schemes = [\"basic\", \"api-key\", \"bearer\"]\n", "schemes = [\"basic\"]\nunmatched = \"pass\"\n")
	if err := engine.Reload(); err != nil {
		t.Fatal(err)
	}
	called := false
	handler := engine.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		called = true
		if r.Header.Get("X-Auth-Subject") != "" || gatepost.DecisionFromContext(r.Context()).Action() != gatepost.Pass {
			t.Error(r.Header)
		}
	}))
	r := request("GET", "/elsewhere", false)
	r.Header.Set("X-Auth-Subject", "root")
	answered(handler, r)
	if !called {
		t.Error("it does not pass")
	}
}

func TestARequestIsDecidedOnce(t *testing.T) {
	engine, other := open(t, withAlice(t, ""), nil), open(t, withAlice(t, ""), nil)
	var ids []string
	inner := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ids = append(ids, gatepost.DecisionFromContext(r.Context()).ID())
	})
	note := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			inner(w, r)
			next.ServeHTTP(w, r)
		})
	}
	answered(engine.Middleware(note(engine.Middleware(inner))), request("GET", "/orders/7", true))
	// Another engine decides for itself.
	answered(engine.Middleware(note(other.Middleware(inner))), request("GET", "/orders/7", true))
	if len(ids) != 4 || ids[0] != ids[1] || ids[2] == ids[3] {
		t.Error(ids)
	}
}

func TestAdmitIsForFrameworksOfAnotherShape(t *testing.T) {
	engine := open(t, withAlice(t, ""), nil)
	recorder := httptest.NewRecorder()
	r, ok := engine.Admit(recorder, request("GET", "/orders/7", true))
	if !ok || recorder.Header().Get("Cache-Control") != "private, no-store" {
		t.Fatal(ok, recorder.Header())
	}
	if who, _ := gatepost.FromContext(r.Context()); who.Subject() != alice {
		t.Error(who.Subject())
	}
	// The second time it is the same.
	if again, ok := engine.Admit(recorder, r); !ok || again != r {
		t.Error(ok)
	}
	recorder = httptest.NewRecorder()
	if r, ok := engine.Admit(recorder, request("GET", "/orders/7", false)); ok || r != nil || recorder.Code != 401 {
		t.Error(ok, recorder.Code)
	}
}

func TestWhereNoDecisionCanBeMadeTheRequestIsRefused(t *testing.T) {
	var log bytes.Buffer
	options := &gatepost.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}
	engine := open(t, policy(t, ""), options)
	handler := engine.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was let through") }))
	without := request("GET", "/health", false)
	without.RequestURI = ""
	if answer := answered(handler, without); answer.StatusCode != 500 || answer.Header.Get("Cache-Control") != "no-store" {
		t.Error(answer.StatusCode)
	}
	_ = engine.Close()
	if answer := answered(handler, request("GET", "/health", false)); answer.StatusCode != 503 {
		t.Error(answer.StatusCode)
	}
	for _, wanted := range []string{"RequestURI", "is closed"} {
		if !strings.Contains(log.String(), wanted) {
			t.Errorf("%q is not in %s", wanted, log.String())
		}
	}
	var told error
	options.OnError = func(w http.ResponseWriter, _ *http.Request, err error) {
		told = err
		w.WriteHeader(599)
	}
	engine = open(t, policy(t, ""), options)
	if answer := answered(engine.Middleware(http.NotFoundHandler()), without); answer.StatusCode != 599 || !errors.Is(told, gatepost.ErrNoTarget) {
		t.Error(answer.StatusCode, told)
	}
}

func TestTheRequestsOwnIDIsTheDecisions(t *testing.T) {
	engine := open(t, policy(t, ""), &gatepost.Options{RequestID: func(r *http.Request) string { return r.Header.Get("X-Request-Id") }})
	r := request("GET", "/orders/7", false)
	r.Header.Set("X-Request-Id", "4711")
	if answer := answered(engine.Middleware(http.NotFoundHandler()), r); !strings.Contains(body(answer), `"id":"4711"`) {
		t.Error(answer)
	}
}

// server has the optional interfaces of a server's ResponseWriter that it is made with.
type server struct {
	*httptest.ResponseRecorder
}

func (server) Hijack() (net.Conn, *bufio.ReadWriter, error) { return nil, nil, errors.ErrUnsupported }

func TestTheResponseWriterStaysTheServersOwn(t *testing.T) {
	engine := open(t, withAlice(t, ""), nil)
	own := server{httptest.NewRecorder()}
	engine.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if w != http.ResponseWriter(own) {
			t.Errorf("%T", w)
		}
	})).ServeHTTP(own, request("GET", "/orders/7", true))
}

// prying looks at all of the memory that it is handed a part of.
type prying struct {
	*httptest.ResponseRecorder
	seen []byte
}

func (p *prying) Write(body []byte) (int, error) {
	p.seen = append(p.seen, body[:cap(body)]...)
	return p.ResponseRecorder.Write(body)
}

// Where a request had to be copied, the body of its refusal is written into the same memory.
func TestARefusalIsNotWrittenFromWhatHoldsThePassword(t *testing.T) {
	credentials := base64.StdEncoding.EncodeToString([]byte(alice + ":" + strings.Repeat("wrong ", 300)))
	for name, options := range map[string]*gatepost.Options{
		"many fields": nil,
		"told":        {OnEvent: func(context.Context, gatepost.Event) {}},
	} {
		engine := open(t, withAlice(t, ""), options)
		handler := engine.Middleware(http.NotFoundHandler())
		r := request("GET", "/orders/7", false)
		for i := range 30 {
			r.Header.Set(fmt.Sprintf("X-Field-%d", i), "value")
		}
		r.Header.Set("Authorization", "Basic "+credentials)
		for range 3 {
			w := &prying{ResponseRecorder: httptest.NewRecorder()}
			handler.ServeHTTP(w, r)
			if w.Code < 400 || !bytes.Contains(w.seen, w.Body.Bytes()) || w.Body.Len() == 0 {
				t.Errorf("%s: %d %s", name, w.Code, w.Body)
			}
			if bytes.Contains(w.seen, []byte(credentials[1000:1100])) {
				t.Errorf("%s: the password is left behind the answer", name)
			}
		}
	}
}

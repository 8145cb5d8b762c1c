package gatepost

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// told are fields of a decision: one that must replace the handler's and one that must be added to its.
func told() *fields {
	f := fieldsOf([]Header{{"DPoP-Nonce", "fresh", Set}, {"Set-Cookie", "a=b", Append}})
	return &f
}

type hijackable struct{ *httptest.ResponseRecorder }

func (hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return nil, nil, errors.ErrUnsupported
}

type reading struct{ hijackable }

func (r reading) ReadFrom(source io.Reader) (int64, error) {
	return io.Copy(r.ResponseRecorder, source)
}

type pushing struct{ *httptest.ResponseRecorder }

func (pushing) Push(string, *http.PushOptions) error { return errors.ErrUnsupported }

type notifying struct{ reading }

func (notifying) CloseNotify() <-chan bool { return nil }

type bare struct{ http.ResponseWriter }

// behind is a writer of another middleware, through which http.ResponseController alone finds the server's.
type behind struct{ http.ResponseWriter }

func (b behind) Unwrap() http.ResponseWriter { return b.ResponseWriter }

func TestFieldsThatMustWinComeLastHoweverTheAnswerBegins(t *testing.T) {
	if !told().late || nothing.plan().response.late {
		t.Fatal("late")
	}
	for name, begin := range map[string]func(http.ResponseWriter){
		"WriteHeader": func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusEarlyHints)
			w.Header().Set("DPoP-Nonce", "stale")
			w.WriteHeader(200)
		},
		"Write":       func(w http.ResponseWriter) { _, _ = w.Write([]byte("x")) },
		"WriteString": func(w http.ResponseWriter) { _, _ = io.WriteString(w, "x") },
		"Flush":       func(w http.ResponseWriter) { w.(http.Flusher).Flush() },
		"ReadFrom":    func(w http.ResponseWriter) { _, _ = w.(io.ReaderFrom).ReadFrom(strings.NewReader("x")) },
		"controller":  func(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() },
		"controller behind another": func(w http.ResponseWriter) {
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Error(err)
			}
		},
		"nothing": func(http.ResponseWriter) {},
	} {
		recorder := httptest.NewRecorder()
		var server http.ResponseWriter = reading{hijackable{recorder}}
		if strings.HasSuffix(name, "another") {
			server = behind{recorder}
		}
		late := &lateWriter{ResponseWriter: server, response: told()}
		w := late.dressed()
		w.Header().Set("DPoP-Nonce", "stale")
		w.Header().Set("Set-Cookie", "c=d")
		begin(w)
		late.begin()
		header := recorder.Header()
		if name != "WriteHeader" && name != "nothing" {
			header = recorder.Result().Header
		}
		if !slices.Equal(header["Dpop-Nonce"], []string{"fresh"}) || !slices.Equal(header["Set-Cookie"], []string{"c=d", "a=b"}) {
			t.Errorf("%s: %v", name, header)
		}
	}
}

func TestTheOptionalInterfacesAreThoseOfTheServer(t *testing.T) {
	recorder := httptest.NewRecorder()
	for _, c := range []struct {
		server                                    http.ResponseWriter
		flushes, hijacks, pushes, reads, notifies bool
	}{
		{notifying{reading{hijackable{recorder}}}, true, true, false, true, true},
		{reading{hijackable{recorder}}, true, true, false, true, false},
		{hijackable{recorder}, true, true, false, false, false},
		{pushing{recorder}, true, false, true, false, false},
		{recorder, true, false, false, false, false},
		{bare{recorder}, false, false, false, false, false},
	} {
		w := (&lateWriter{ResponseWriter: c.server, response: told()}).dressed()
		_, flushes := w.(http.Flusher)
		hijacker, hijacks := w.(http.Hijacker)
		pusher, pushes := w.(http.Pusher)
		_, reads := w.(io.ReaderFrom)
		_, notifies := w.(notifier)
		if flushes != c.flushes || hijacks != c.hijacks || pushes != c.pushes || reads != c.reads || notifies != c.notifies {
			t.Errorf("%T: %v %v %v %v %v", c.server, flushes, hijacks, pushes, reads, notifies)
		}
		if hijacks {
			if _, _, err := hijacker.Hijack(); !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("%T: Hijack does not reach the server", c.server)
			}
		}
		if pushes {
			if err := pusher.Push("/", nil); !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("%T: Push does not reach the server", c.server)
			}
		}
		if unwrapped := w.(interface{ Unwrap() http.ResponseWriter }).Unwrap(); unwrapped != c.server {
			t.Errorf("%T: Unwrap gives %T", c.server, unwrapped)
		}
	}
}

func TestPercentEncodingIsTakenAway(t *testing.T) {
	for list, parts := range map[string][]string{
		"":                  nil,
		"clerk":             {"clerk"},
		"a%2Cb,c%25,%c3%A4": {"a,b", "c%", "ä"},
		"50%,%zz,%2":        {"50%", "%zz", "%2"},
	} {
		if got := split(list, ','); !slices.Equal(got, parts) {
			t.Errorf("%q: %q", list, got)
		}
		for _, part := range parts {
			if !has(list, ',', part) || has(list, ',', part+"x") {
				t.Errorf("%q: %q", list, part)
			}
		}
	}
}

func TestVersionsAreCompared(t *testing.T) {
	for _, c := range []struct {
		version, than string
		older         bool
	}{{"0.1.0", "0.1.0", false}, {"0.1.0", "0.2.0", true}, {"0.10.0", "0.9.0", false}, {"1.0.0", "0.9.9", false}, {"x", "0.1.0", false}} {
		if older(c.version, c.than) != c.older {
			t.Errorf("%+v", c)
		}
	}
}

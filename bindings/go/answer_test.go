package gatepost_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"gatepost.invalid/gatepost"
)

// Decisions that say the same share what they say: but for the id, which in a problem and in a page is in the body too.
func TestEachDecisionHasItsOwnID(t *testing.T) {
	var id string
	engine := open(t, withAlice(t, ""), &gatepost.Options{RequestID: func(*http.Request) string { return id }})
	handler := engine.Middleware(http.NotFoundHandler())
	var decisions []*gatepost.Decision
	var ids, bodies []string
	// Also ids that the body has elsewhere, and such as differ in nothing but their length.
	for _, id = range []string{"", "1", "2", "1", "e", "credentials_missing", "problem", "a-1", "b-2", "0123456789012345678901234567890123456789", ""} {
		for _, accept := range []string{"application/json", "text/html", "application/json"} {
			r := request("GET", "/orders/7", false)
			r.Header.Set("Accept", accept)
			d, err := engine.Decide(r)
			if err != nil {
				t.Fatal(err)
			}
			if id != "" && d.ID() != id || d.ID() == "" {
				t.Errorf("%q has %q", id, d.ID())
			}
			decisions, ids, bodies = append(decisions, d), append(ids, d.ID()), append(bodies, d.Body())
			// The same by the middleware, whose id is another one where the engine draws it.
			recorder := httptest.NewRecorder()
			handler.ServeHTTP(recorder, r)
			sent := recorder.Body.String()
			if id != "" && sent != d.Body() || recorder.Header().Get("Content-Length") != fmt.Sprint(len(sent)) {
				t.Errorf("%q: %s\n%s", id, sent, d.Body())
			}
			if accept == "text/html" {
				if !strings.Contains(sent, id) || !strings.Contains(d.Body(), d.ID()) {
					t.Errorf("%q: %s", id, sent)
				}
				continue
			}
			var said struct{ Reason, ID string }
			if err := json.Unmarshal([]byte(d.Body()), &said); err != nil || said.ID != d.ID() || said.Reason != "credentials_missing" {
				t.Error(err, said)
			}
			if err := json.Unmarshal([]byte(sent), &said); err != nil || id != "" && said.ID != id || id == "" && said.ID == d.ID() {
				t.Error(err, said)
			}
		}
	}
	for i, d := range decisions {
		if d.ID() != ids[i] || d.Body() != bodies[i] || d.Status() != 401 {
			t.Errorf("%q has become %q: %s", ids[i], d.ID(), d.Body())
		}
	}
}

func TestPersonsAreNotMixedUp(t *testing.T) {
	file := withAlice(t, "")
	users := []string{alice, "alicf", "a", "someone-with-a-long-name"}
	for _, user := range users[1:] {
		command(t, password+"\n", "user", "add", user, "--role", "clerk", "--policy", file)
	}
	engine := open(t, file, nil)
	handler := engine.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := gatepost.FromContext(r.Context())
		wanted := r.Header.Get("X-Wanted")
		got := strings.Join([]string{who.Subject(), strings.Join(who.Scopes(), " ")}, "/")
		handed := strings.Join([]string{r.Header.Get("X-Auth-Subject"), r.Header.Get("X-Auth-Scopes")}, "/")
		if got != wanted || handed != wanted || r.Header.Get("X-Auth-Roles") != "clerk" || w.Header().Get("Cache-Control") != "private, no-store" {
			t.Errorf("%s is %s, and handed on as %s: %v", wanted, got, handed, w.Header())
		}
		// Whatever a handler does with what it gets, the next one sees nothing of it.
		for _, header := range []http.Header{r.Header, w.Header()} {
			for name := range header {
				header[name][0] = "spoiled"
				header.Add(name, "spoiled")
			}
		}
	}))
	var requests []*http.Request
	for _, user := range users {
		// More than are known again at once.
		for i := range 20 {
			scope := fmt.Sprintf("orders:%02d", i)
			tokens, err := engine.IssueToken(gatepost.TokenRequest{User: user, Scopes: []string{scope}})
			if err != nil {
				t.Fatal(err)
			}
			r := request("GET", "/orders/7", false)
			r.Header.Set("Authorization", "Bearer "+tokens.AccessToken)
			r.Header.Set("X-Wanted", user+"/"+scope)
			requests = append(requests, r)
		}
	}
	var wait sync.WaitGroup
	for worker := range 4 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for i := range 4 * len(requests) {
				r := requests[(i*(2*worker+1)+worker)%len(requests)].Clone(t.Context())
				handler.ServeHTTP(httptest.NewRecorder(), r)
				refused := r.Clone(t.Context())
				refused.Header = http.Header{}
				recorder := httptest.NewRecorder()
				handler.ServeHTTP(recorder, refused)
				if recorder.Code != 401 || len(recorder.Header()["Www-Authenticate"]) != 3 {
					t.Error(recorder.Code, recorder.Header())
				}
				// Whoever stands outside may change the answer's fields.
				for name := range recorder.Header() {
					recorder.Header()[name][0] = "spoiled"
				}
			}
		}()
	}
	wait.Wait()
}

func TestAfterAReloadNothingIsKnownAgain(t *testing.T) {
	engine := open(t, policy(t, ""), nil)
	for generation := uint64(1); generation < 4; generation++ {
		for range 2 {
			for _, target := range []string{"/health", "/orders/7"} {
				if d, err := engine.Decide(request("GET", target, false)); err != nil || d.Generation() != generation {
					t.Error(err, d.Generation(), generation)
				}
			}
		}
		if err := engine.Reload(); err != nil {
			t.Fatal(err)
		}
	}
}

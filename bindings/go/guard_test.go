package gatepost_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"gatepost.invalid/gatepost"
)

type guard = func(http.Handler) http.Handler

// secret is a handler that says that it was reached.
var secret = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "secret") })

// guardedPolicy has alice, a clerk, root, an admin, which includes clerk, and a public and an optional route.
func guardedPolicy(t *testing.T) string {
	t.Helper()
	file := withAlice(t, "")
	command(t, password+"\n", "user", "add", "root", "--role", "admin", "--policy", file)
	return file
}

func as(r *http.Request, user string) *http.Request {
	if user != "" {
		r.SetBasicAuth(user, password)
	}
	return r
}

func TestAGuardLetsInWhoHasOneOfTheRoles(t *testing.T) {
	engine := open(t, guardedPolicy(t), nil)
	for _, c := range []struct {
		name   string
		guard  guard
		user   string
		reason string // empty: let in
	}{
		{"clerk", gatepost.RequireRole("clerk"), "alice", ""},
		{"clerk, included", gatepost.RequireRole("clerk"), "root", ""},
		{"admin", gatepost.RequireRole("admin"), "root", ""},
		{"admin", gatepost.RequireRole("admin"), "alice", "role_missing"},
		{"admin or clerk", gatepost.RequireRole("admin", "clerk"), "alice", ""},
		{"auditor or admin", gatepost.RequireRole("auditor", "admin"), "alice", "role_missing"},
		{"an empty role", gatepost.RequireRole(""), "root", "role_missing"},
		{"part of a role", gatepost.RequireRole("cler"), "alice", "role_missing"},
		{"a scope", gatepost.RequireScope("orders"), "root", "scope_missing"},
		{"alice", gatepost.Require(isAlice), "alice", ""},
		{"alice", gatepost.Require(isAlice), "root", "requirement_unmet"},
	} {
		answer := answered(engine.Middleware(c.guard(secret)), as(request("GET", "/orders/7", false), c.user))
		text := body(answer)
		if c.reason == "" {
			if answer.StatusCode != 200 || text != "secret" {
				t.Errorf("%s as %s: %d %s", c.name, c.user, answer.StatusCode, text)
			}
		} else if answer.StatusCode != 403 || !strings.Contains(text, `"reason":"`+c.reason+`"`) || strings.Contains(text, "secret") {
			t.Errorf("%s as %s: %d %s", c.name, c.user, answer.StatusCode, text)
		}
	}
}

func isAlice(who gatepost.Identity, _ *http.Request) bool { return who.Subject() == alice }

func TestGuardsOneInAnotherAskForAll(t *testing.T) {
	engine := open(t, guardedPolicy(t), nil)
	handler := engine.Middleware(gatepost.RequireRole("clerk")(gatepost.RequireRole("admin")(secret)))
	for user, status := range map[string]int{"alice": 403, "root": 200} {
		if answer := answered(handler, as(request("GET", "/orders/7", false), user)); answer.StatusCode != status {
			t.Errorf("%s: %d", user, answer.StatusCode)
		}
	}
}

func TestAGuardLetsNobodyInWhereNobodyWasRecognised(t *testing.T) {
	engine := open(t, guardedPolicy(t), nil)
	everybody := gatepost.Require(func(gatepost.Identity, *http.Request) bool { return true })
	for _, target := range []string{"/health", "/catalogue/7"} {
		for _, guard := range []guard{gatepost.RequireRole("clerk"), gatepost.RequireRole(""), gatepost.RequireScope(""), everybody} {
			answer := answered(engine.Middleware(guard(secret)), request("GET", target, false))
			if text := body(answer); answer.StatusCode != 403 || strings.Contains(text, "secret") {
				t.Errorf("%s: %d %s", target, answer.StatusCode, text)
			}
		}
	}
	// Credentials are looked at on the optional route, and not on the public one.
	for target, status := range map[string]int{"/catalogue/7": 200, "/health": 403} {
		if answer := answered(engine.Middleware(everybody(secret)), as(request("GET", target, false), alice)); answer.StatusCode != status {
			t.Errorf("%s: %d", target, answer.StatusCode)
		}
	}
}

func TestAGuardWithoutTheMiddlewareLetsNobodyIn(t *testing.T) {
	before := slog.Default()
	defer slog.SetDefault(before)
	for _, guard := range []guard{gatepost.RequireRole("admin"), gatepost.RequireScope("x"), gatepost.Require(func(gatepost.Identity, *http.Request) bool { return true })} {
		var log bytes.Buffer
		slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
		answer := answered(guard(secret), as(request("GET", "/orders/7", false), "root"))
		if text := body(answer); answer.StatusCode != 500 || strings.Contains(text, "secret") || !strings.Contains(text, `"reason":"internal"`) {
			t.Errorf("%d %s", answer.StatusCode, text)
		}
		if !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "no engine has seen the request") {
			t.Error(log.String())
		}
	}
}

func TestAGuardAnswersAndLogsAsTheEngine(t *testing.T) {
	var log bytes.Buffer
	engine := open(t, guardedPolicy(t), &gatepost.Options{Logger: slog.New(slog.NewTextHandler(&log, nil)), RequestID: func(*http.Request) string { return "4711" }})
	handler := engine.Middleware(gatepost.RequireRole("admin", "auditor")(secret))
	answer := answered(handler, as(request("GET", "/orders/7", false), alice))
	// The engine's own refusal of the same request and reason but for the route.
	own := answered(engine.Middleware(secret), as(request("PUT", "/orders/7", false), alice))
	for _, name := range []string{"Content-Type", "Cache-Control", "Content-Language", "X-Content-Type-Options"} {
		if got, wanted := answer.Header.Values(name), own.Header.Values(name); fmt.Sprint(got) != fmt.Sprint(wanted) {
			t.Errorf("%s: %q and the engine %q", name, got, wanted)
		}
	}
	ours, theirs := body(answer), body(own)
	wanted := strings.Replace(theirs, "permission_missing", "role_missing", 1)
	wanted = strings.Replace(wanted, detail(t, theirs), gatepost.ReasonRoleMissing.Text(gatepost.Person), 1)
	if ours != wanted || answer.Header.Get("Content-Length") != fmt.Sprint(len(ours)) {
		t.Errorf("%s and the engine\n%s", ours, theirs)
	}
	for _, said := range []string{"level=INFO", "id=4711", "reason=role_missing", `wanted="admin or auditor"`, "alice", "clerk"} {
		if !strings.Contains(log.String(), said) {
			t.Errorf("%s is not in %s", said, log.String())
		}
	}
	answer = answered(handler, as(request("HEAD", "/orders/7", false), alice))
	if text := body(answer); answer.StatusCode != 403 || text != "" {
		t.Errorf("%d %q", answer.StatusCode, text)
	}
	log.Reset()
	if answer := answered(handler, as(request("GET", "/orders/7", false), "root")); answer.StatusCode != 200 || log.Len() != 0 {
		t.Errorf("%d %s", answer.StatusCode, log.String())
	}
}

func TestAGuardTellsATokenWhichScopesItLacks(t *testing.T) {
	engine := open(t, guardedPolicy(t), nil)
	tokens, err := engine.IssueToken(gatepost.TokenRequest{User: alice, Scopes: []string{"orders"}})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(guard guard) *http.Response {
		r := request("GET", "/orders/7", false)
		r.Header.Set("Authorization", "Bearer "+tokens.AccessToken)
		return answered(engine.Middleware(guard(secret)), r)
	}
	for _, guard := range []guard{gatepost.RequireScope("orders"), gatepost.RequireScope("x", "orders")} {
		if answer := ask(guard); answer.StatusCode != 200 {
			t.Error(answer.StatusCode)
		}
	}
	for wanted, guard := range map[string]guard{
		`Bearer error="insufficient_scope", scope="x y"`: gatepost.RequireScope("x", "y"),
		"":  gatepost.RequireRole("admin"),
		" ": gatepost.RequireScope("a\"\r\nb"),
	} {
		answer := ask(guard)
		if answer.StatusCode != 403 || answer.Header.Get("WWW-Authenticate") != strings.TrimSpace(wanted) {
			t.Errorf("%d %q", answer.StatusCode, answer.Header.Get("WWW-Authenticate"))
		}
	}
	answer := answered(engine.Middleware(gatepost.RequireScope("x")(secret)), as(request("GET", "/orders/7", false), alice))
	if answer.StatusCode != 403 || answer.Header.Get("WWW-Authenticate") != "" {
		t.Errorf("%d %v", answer.StatusCode, answer.Header)
	}
}

func detail(t *testing.T, problem string) string {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(problem), &members); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(members["detail"])
}

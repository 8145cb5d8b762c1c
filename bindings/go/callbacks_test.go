package gatepost_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatepost.invalid/gatepost"
)

type contextKey struct{}

func TestEventsComeWithTheContextOfTheirRequest(t *testing.T) {
	file := withAlice(t, "")
	type heard struct {
		event  gatepost.Event
		marked any
	}
	var mutex sync.Mutex
	var events []heard
	engine := open(t, file, &gatepost.Options{OnEvent: func(ctx context.Context, event gatepost.Event) {
		mutex.Lock()
		defer mutex.Unlock()
		events = append(events, heard{event, ctx.Value(contextKey{})})
	}})
	find := func(name, id string) *heard {
		mutex.Lock()
		defer mutex.Unlock()
		for i := range events {
			if events[i].event.Name == name && (id == "" || events[i].event.ID == id) {
				return &events[i]
			}
		}
		return nil
	}
	// One that is decided at once, and one that hashes.
	for mark, login := range []bool{false, true} {
		r := request("PUT", "/orders/7", login)
		d, err := engine.Decide(r.WithContext(context.WithValue(context.Background(), contextKey{}, mark)))
		if err != nil {
			t.Fatal(err)
		}
		of := find("decision", d.ID())
		if of == nil {
			t.Fatalf("no event of %s", d.ID())
		}
		if of.marked != mark || of.event.Reason != d.Reason() || of.event.Status != d.Status() || of.event.Action != gatepost.Deny || of.event.Severity == gatepost.Info {
			t.Errorf("%+v", of)
		}
		var line map[string]any
		if err := json.Unmarshal([]byte(of.event.Line), &line); err != nil || !strings.Contains(of.event.Line, d.ID()) || strings.Contains(of.event.Line, password) {
			t.Errorf("%v %s", err, of.event.Line)
		}
	}
	if err := engine.Reload(); err != nil {
		t.Fatal(err)
	}
	if !eventually(func() bool { return find("policy_reloaded", "") != nil }) {
		t.Fatal("housekeeping tells no event")
	}
	if of := find("policy_reloaded", ""); of.marked != nil || of.event.ID != "" || of.event.Status != 0 {
		t.Errorf("%+v", of)
	}
}

// eventually waits for what another goroutine does.
func eventually(done func() bool) bool {
	for end := time.Now().Add(3 * time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if done() {
			return true
		}
	}
	return false
}

func TestTheClockIsTheProgramsOwn(t *testing.T) {
	file := withAlice(t, "")
	// Not before: a token from before the account is revoked.
	now := atomic.Int64{}
	now.Store(time.Now().Unix())
	engine := open(t, file, &gatepost.Options{Clock: func() time.Time { return time.Unix(now.Load(), 0) }})
	tokens, err := engine.IssueToken(gatepost.TokenRequest{User: alice})
	if err != nil {
		t.Fatal(err)
	}
	r := request("GET", "/orders/7", false)
	r.Header.Set("Authorization", "Bearer "+tokens.AccessToken)
	if got := reason(t, engine, r); got != gatepost.ReasonAllowed {
		t.Error(got)
	}
	now.Add(86400)
	if got := reason(t, engine, r); got != gatepost.ReasonTokenExpired {
		t.Error(got)
	}
}

func TestACallbackThatPanicsEndsNobodyAndLetsNobodyIn(t *testing.T) {
	var log bytes.Buffer
	var mutex sync.Mutex
	writer := writerFunc(func(line []byte) (int, error) {
		mutex.Lock()
		defer mutex.Unlock()
		return log.Write(line)
	})
	engine := open(t, withAlice(t, ""), &gatepost.Options{
		Clock:   func() time.Time { panic("the clock stands still") },
		OnEvent: func(context.Context, gatepost.Event) { panic("nobody listens") },
		Logger:  slog.New(slog.NewTextHandler(writer, nil)),
	})
	expired, err := engine.IssueToken(gatepost.TokenRequest{User: alice, Now: time.Now().Add(-time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	r := request("GET", "/orders/7", false)
	r.Header.Set("Authorization", "Bearer "+expired.AccessToken)
	if got := reason(t, engine, r); got != gatepost.ReasonTokenExpired {
		t.Error(got)
	}
	mutex.Lock()
	defer mutex.Unlock()
	for _, wanted := range []string{"the clock stands still", "nobody listens"} {
		if !strings.Contains(log.String(), wanted) {
			t.Errorf("%q is not in %s", wanted, log.String())
		}
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(line []byte) (int, error) { return f(line) }

const byURL = `
[[issuer]]
name = "accounts"
issuer = "https://accounts.example.com"
audience = ["orders"]
algorithms = ["ES256"]
keys = { url = "https://accounts.example.com/keys" }
`

func TestKeysAreFetchedWithTheProgramsOwnHTTP(t *testing.T) {
	keys, err := os.ReadFile("../../tests/cases/accounts.public.jwks")
	if err != nil {
		t.Fatal(err)
	}
	var mutex sync.Mutex
	var asked []gatepost.Document
	fail := atomic.Bool{}
	fail.Store(true)
	engine := open(t, policy(t, byURL), &gatepost.Options{Fetch: func(ctx context.Context, document gatepost.Document) (gatepost.Fetched, error) {
		mutex.Lock()
		defer mutex.Unlock()
		asked = append(asked, document)
		if end, ok := ctx.Deadline(); !ok || time.Until(end) > document.Timeout {
			t.Errorf("the context ends at %v", end)
		}
		if fail.Load() {
			return gatepost.Fetched{}, errors.New("no route to host")
		}
		return gatepost.Fetched{Status: 200, Body: string(keys), ETag: `"1"`, ContentType: "application/jwk-set+json", CacheControl: "max-age=600"}, nil
	}})
	// A token of that issuer with a key that nobody has, once the keys are known, and before.
	r := request("GET", "/orders/7", false)
	r.Header.Set("Authorization", "Bearer "+unsigned)
	if !eventually(func() bool { mutex.Lock(); defer mutex.Unlock(); return len(asked) > 0 }) {
		t.Fatal("nobody asks for the keys")
	}
	if got := reason(t, engine, r); got != gatepost.ReasonKeysUnavailable {
		t.Error(got)
	}
	mutex.Lock()
	if first := asked[0]; first.URL != "https://accounts.example.com/keys" || first.Accept == "" || first.Largest == 0 || first.CA != "" || first.ETag != "" {
		t.Errorf("%+v", first)
	}
	mutex.Unlock()
	fail.Store(false)
	if !eventually(func() bool { return reason(t, engine, r) != gatepost.ReasonKeysUnavailable }) {
		t.Fatal("the keys are never there")
	}
	if got := reason(t, engine, r); got != gatepost.ReasonTokenKeyUnknown && got != gatepost.ReasonTokenSignature {
		t.Error(got)
	}
}

// unsigned has the form of a token of accounts, {"alg":"ES256","kid":"none"} and {"iss":"https://accounts.example.com",
// "aud":"orders","sub":"x","exp":9999999999}, and a signature of zeros.
const unsigned = "eyJhbGciOiJFUzI1NiIsImtpZCI6Im5vbmUifQ." +
	"eyJpc3MiOiJodHRwczovL2FjY291bnRzLmV4YW1wbGUuY29tIiwiYXVkIjoib3JkZXJzIiwic3ViIjoieCIsImV4cCI6OTk5OTk5OTk5OX0." +
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

func TestCloseDoesNotWaitForAFetch(t *testing.T) {
	begun := make(chan struct{})
	ended := make(chan error, 1)
	var once sync.Once
	engine := open(t, policy(t, byURL), &gatepost.Options{Fetch: func(ctx context.Context, _ gatepost.Document) (gatepost.Fetched, error) {
		once.Do(func() { close(begun) })
		<-ctx.Done()
		select {
		case ended <- ctx.Err():
		default:
		}
		return gatepost.Fetched{}, ctx.Err()
	}})
	<-begun
	_ = engine.Close()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

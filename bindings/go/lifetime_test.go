//go:build linux

package gatepost_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"weak"

	"gatepost.invalid/gatepost"
)

func TestWhatNobodyMadeRefuses(t *testing.T) {
	var engine gatepost.Engine
	var none *gatepost.Engine
	for _, e := range []*gatepost.Engine{&engine, none} {
		_, err := e.Decide(request("GET", "/health", false))
		_, poll := e.Poll()
		_, wants := e.WantsBody(&gatepost.Request{})
		_, metrics := e.Metrics()
		for _, err := range []error{err, poll, wants, metrics, e.Start(), e.Reload()} {
			if !errors.Is(err, gatepost.StatusNotStarted) || gatepost.IsTemporary(err) {
				t.Error(err)
			}
		}
		if err := e.Close(); err != nil || e.Generation() != 0 {
			t.Error(err)
		}
		refused := e.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was let through") }))
		if answer := answered(refused, request("GET", "/health", false)); answer.StatusCode != 500 {
			t.Error(answer.StatusCode)
		}
	}
	var zero gatepost.Decision
	for _, d := range []*gatepost.Decision{&zero, gatepost.DecisionFromContext(context.Background())} {
		_, recognised := d.Identity()
		if d.Action() != gatepost.Deny || d.Status() != 500 || !errors.Is(d.Err(), gatepost.ReasonInternal) || recognised {
			t.Errorf("%v %d %v", d.Action(), d.Status(), d.Err())
		}
		if d.Body() != "" || d.ID() != "" || d.Subject() != "" || d.Roles() != nil || d.RetryAfter() != 0 || d.Generation() != 0 {
			t.Errorf("%+v", d)
		}
		if len(d.Strip())+len(d.ResponseHeaders())+len(d.UpstreamHeaders()) != 0 {
			t.Errorf("%+v", d)
		}
	}
}

func TestACopyOfAnEngineKeepsItOpen(t *testing.T) {
	engine, err := gatepost.Open(policy(t, ""), nil)
	if err != nil {
		t.Fatal(err)
	}
	// go vet warns of a plain copy.
	var kept gatepost.Engine
	reflect.ValueOf(&kept).Elem().Set(reflect.ValueOf(engine).Elem())
	engine = nil
	for range 5 {
		runtime.GC()
		time.Sleep(5 * time.Millisecond)
	}
	if d, err := kept.Decide(request("GET", "/health", false)); err != nil || d.Err() != nil {
		t.Error(err)
	}
	if err := kept.Close(); err != nil {
		t.Error(err)
	}
}

func TestEachCloseReturnsWhenAllHasEnded(t *testing.T) {
	inside, goOn := make(chan struct{}), make(chan struct{})
	var armed atomic.Bool
	engine := open(t, policy(t, ""), &gatepost.Options{NoHousekeeping: true, Clock: func() time.Time {
		if armed.CompareAndSwap(true, false) {
			close(inside)
			<-goOn
		}
		return time.Now()
	}})
	armed.Store(true)
	go func() { _, _ = engine.Decide(request("GET", "/orders/7", false)) }()
	<-inside
	closed := make(chan error, 3)
	for range cap(closed) {
		go func() { closed <- engine.Close() }()
	}
	select {
	case <-closed:
		t.Error("a Close has returned while a decision is under way")
	case <-time.After(100 * time.Millisecond):
	}
	close(goOn)
	for range cap(closed) {
		if err := <-closed; err != nil {
			t.Error(err)
		}
	}
}

func TestNothingIsLeftOfAnEngineThatWasClosed(t *testing.T) {
	file := withAlice(t, "")
	_ = open(t, file, nil).Close()
	before := runtime.NumGoroutine()
	for range 30 {
		engine := open(t, file, nil)
		if _, err := engine.Decide(request("GET", "/orders/7", true)); err != nil {
			t.Fatal(err)
		}
		_ = engine.Close()
	}
	if !eventually(func() bool { return runtime.NumGoroutine() <= before }) {
		t.Errorf("%d goroutines, then %d", before, runtime.NumGoroutine())
	}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if target, _ := os.Readlink("/proc/self/fd/" + entry.Name()); strings.Contains(target, "orders.db") {
			t.Errorf("%s is still open", target)
		}
	}
}

func TestAProgramThatIsStartedInheritsNothingOfAnEngine(t *testing.T) {
	engine := open(t, withAlice(t, ""), nil)
	if _, err := engine.Decide(request("GET", "/orders/7", true)); err != nil {
		t.Fatal(err)
	}
	own, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	holds := slices.ContainsFunc(own, func(entry os.DirEntry) bool {
		target, _ := os.Readlink("/proc/self/fd/" + entry.Name())
		return strings.Contains(target, "orders.db")
	})
	child, err := exec.Command("ls", "-l", "/proc/self/fd").Output()
	if err != nil || !holds || strings.Contains(string(child), "orders.db") {
		t.Errorf("%v %v %s", err, holds, child)
	}
}

// A test that fails inside of a callback ends its goroutine there.
func TestACallbackThatEndsItsGoroutineDoesNotKeepCloseWaiting(t *testing.T) {
	file := withAlice(t, "")
	for _, login := range []bool{false, true} {
		engine := open(t, file, &gatepost.Options{NoHousekeeping: true, SlowChecks: 1, OnEvent: func(context.Context, gatepost.Event) { runtime.Goexit() }})
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_, _ = engine.Decide(request("GET", "/orders/7", login))
			t.Error("the goroutine goes on")
		}()
		<-ended
		closed := make(chan error, 1)
		go func() { closed <- engine.Close() }()
		select {
		case err := <-closed:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(3 * time.Minute):
			t.Fatal("Close waits for ever")
		}
	}
}

func TestARequestThatNobodyWaitsForIsCancelled(t *testing.T) {
	engine := open(t, withAlice(t, unthrottled), &gatepost.Options{SlowChecks: 1})
	var turn atomic.Int64
	gone, stop := context.WithCancelCause(context.Background())
	why := errors.New("the client has gone")
	stop(why)
	busy, enough := make(chan struct{}), atomic.Bool{}
	go func() {
		defer close(busy)
		for !enough.Load() {
			if _, err := engine.Decide(hasher(&turn)); err != nil {
				t.Error(err)
			}
		}
	}()
	cancelled := eventually(func() bool {
		_, err := engine.Decide(hasher(&turn).WithContext(gone))
		return errors.Is(err, why) && errors.Is(err, gatepost.StatusCancelled) && gatepost.IsTemporary(err)
	})
	if !cancelled {
		t.Error("nobody was cancelled")
	}
	enough.Store(true)
	<-busy
	// And one that has begun to answer keeps its body for the handler.
	handler := engine.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var read bytes.Buffer
		_, _ = read.ReadFrom(r.Body)
		_, _ = w.Write(read.Bytes())
	}))
	r, _ := http.NewRequest("POST", "/health", bytes.NewReader([]byte("a cup of tea")))
	r.RequestURI = "/health"
	if answer := answered(handler, r); body(answer) != "a cup of tea" {
		t.Error(answer.StatusCode)
	}
}

// A session or a log may keep who it was; what they had sent is over.
func TestADecisionThatIsKeptKeepsNothingOfTheRequest(t *testing.T) {
	engine := open(t, withAlice(t, ""), nil)
	var who gatepost.Identity
	var decision *gatepost.Decision
	handler := engine.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		who, _ = gatepost.FromContext(r.Context())
		decision = gatepost.DecisionFromContext(r.Context())
	}))
	sent := func() weak.Pointer[strings.Reader] {
		r := request("GET", "/orders/7", true)
		held := strings.NewReader("what was sent")
		r.Body = io.NopCloser(held)
		handler.ServeHTTP(httptest.NewRecorder(), r)
		return weak.Make(held)
	}()
	if !eventually(func() bool { runtime.GC(); return sent.Value() == nil }) {
		t.Error("the request is still there")
	}
	if who.Subject() != alice || decision.Subject() != alice {
		t.Error(who, decision)
	}
}

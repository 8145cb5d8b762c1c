package gatepost_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatepost.invalid/gatepost"
)

func TestManyGoroutinesDecideWhilePoliciesChange(t *testing.T) {
	file := withAlice(t, "\n[[route]]\npath = \"/turns\"\naccess = \"public\"\n")
	engine := open(t, file, nil)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), "path = \"/turns\"\naccess = \"public\"", "path = \"/turns\"\nrequire = { role = \"clerk\" }", 1)
	stop := make(chan struct{})
	var others, deciding sync.WaitGroup
	others.Add(1)
	go func() {
		defer others.Done()
		for turn := 0; ; turn++ {
			select {
			case <-stop:
				return
			default:
			}
			write(t, file, []string{changed, string(text)}[turn%2])
			if err := engine.Reload(); err != nil {
				t.Error(err)
			}
		}
	}()
	var byGeneration [2]atomic.Int64
	end := time.Now().Add(3 * time.Minute)
	for range 8 {
		deciding.Add(1)
		go func() {
			defer deciding.Done()
			// And on until both policies were asked: the other goroutine may be long in coming.
			for turn := 0; turn < 500 || (byGeneration[0].Load() == 0 || byGeneration[1].Load() == 0) && time.Now().Before(end); turn++ {
				d, err := engine.Decide(request("GET", "/turns", false))
				if err != nil {
					t.Error(err)
					return
				}
				// Each decision is made by one whole policy.
				odd := d.Generation() % 2
				byGeneration[odd].Add(1)
				if wanted := []gatepost.Reason{gatepost.ReasonCredentialsMissing, gatepost.ReasonPublic}[odd]; d.Reason() != wanted {
					t.Errorf("policy %d: %v", d.Generation(), d.Reason())
				}
				if d, err = engine.Decide(request("GET", "/orders/7", true)); err != nil || d.Subject() != alice {
					t.Errorf("%v %v", d, err)
				}
			}
		}()
	}
	deciding.Wait()
	close(stop)
	others.Wait()
	if byGeneration[0].Load() == 0 || byGeneration[1].Load() == 0 {
		t.Errorf("only one policy was asked: %d, %d", byGeneration[0].Load(), byGeneration[1].Load())
	}
}

func TestCloseWhileOthersDecide(t *testing.T) {
	file := withAlice(t, "")
	for range 20 {
		engine := open(t, file, &gatepost.Options{SlowChecks: 1})
		var wait sync.WaitGroup
		var decided, closed atomic.Int64
		for worker := range 6 {
			wait.Add(1)
			go func() {
				defer wait.Done()
				r := request("GET", "/health", false)
				for turn := 0; ; turn++ {
					if worker < 3 {
						// A password of its own each time: each is hashed.
						r = request("GET", "/orders/7", false)
						r.SetBasicAuth("nobody"+strconv.Itoa(worker), "password number "+strconv.Itoa(turn))
					}
					d, err := engine.Decide(r)
					switch {
					case errors.Is(err, gatepost.ErrClosed):
						closed.Add(1)
						return
					case err != nil:
						t.Error(err)
						return
					}
					if d.Reason() == gatepost.ReasonAllowed {
						t.Error("nobody is let in")
					}
					decided.Add(1)
				}
			}()
		}
		if !eventually(func() bool { return decided.Load() > 20 }) {
			t.Fatal("nobody decides")
		}
		for range 2 {
			wait.Add(1)
			go func() {
				defer wait.Done()
				_ = engine.Close()
			}()
		}
		wait.Wait()
		if closed.Load() != 6 || decided.Load() == 0 {
			t.Errorf("%d decided, %d heard that it is closed", decided.Load(), closed.Load())
		}
	}
}

// hasher logs in with passwords that are never the same, so that each is hashed.
// unthrottled is for those who guess wrong again and again: were they turned away, nothing would be hashed.
const unthrottled = `
[throttle]
account = { failures = 1000000, per = "15m" }
address = { failures = 1000000, per = "15m" }
prefix = { failures = 1000000, per = "15m" }
pair = { failures = 1000000, per = "15m" }
`

func hasher(turn *atomic.Int64) *http.Request {
	r := request("GET", "/orders/7", false)
	n := strconv.FormatInt(turn.Add(1), 10)
	r.SetBasicAuth("nobody"+n, "password number "+n)
	r.RemoteAddr = "192.0.2." + strconv.FormatInt(turn.Load()%200, 10) + ":1"
	return r
}

func TestOfThoseWhoWaitTheOnesWhoLeaveAreForgottenAndTooManyAreTurnedAway(t *testing.T) {
	engine := open(t, withAlice(t, ""), &gatepost.Options{SlowChecks: 1, MostWaiting: 2})
	var turn, overloaded, gone, decided atomic.Int64
	var wait sync.WaitGroup
	for range 12 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for range 4 {
				ctx, cancel := context.WithTimeout(context.Background(), 2*time.Millisecond)
				_, err := engine.Decide(hasher(&turn).WithContext(ctx))
				cancel()
				switch {
				case err == nil:
					decided.Add(1)
				case errors.Is(err, gatepost.StatusOverloaded) && gatepost.IsTemporary(err):
					overloaded.Add(1)
					if err.Error() != "gatepost: 2 requests wait already for one of 1 slow checks; Options.MostWaiting and Options.SlowChecks set how many" {
						t.Error(err)
					}
				case errors.Is(err, context.DeadlineExceeded):
					gone.Add(1)
				default:
					t.Error(err)
				}
			}
		}()
	}
	wait.Wait()
	if overloaded.Load() == 0 || gone.Load() == 0 || decided.Load() == 0 {
		t.Errorf("%d turned away, %d gone, %d decided", overloaded.Load(), gone.Load(), decided.Load())
	}
	// Nothing of that is left behind.
	if d, err := engine.Decide(request("GET", "/orders/7", true)); err != nil || d.Err() != nil {
		t.Errorf("%v %v", d, err)
	}
}

func TestWhatIsDecidedAtOnceDoesNotWaitForHashing(t *testing.T) {
	engine := open(t, withAlice(t, unthrottled), &gatepost.Options{SlowChecks: 1})
	var turn atomic.Int64
	stop := make(chan struct{})
	var wait sync.WaitGroup
	for range 4 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := engine.Decide(hasher(&turn)); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	for turn.Load() < 4 {
		time.Sleep(time.Millisecond)
	}
	before := turn.Load()
	for range 2000 {
		if d, err := engine.Decide(request("GET", "/health", false)); err != nil || d.Reason() != gatepost.ReasonPublic {
			t.Fatalf("%v %v", d, err)
		}
	}
	during := turn.Load() - before
	close(stop)
	wait.Wait()
	// Had each of them waited for one hash, there would be as many hashes; where this goroutine stands still, some are made.
	if during >= 2000 {
		t.Errorf("%d hashes while 2,000 cheap requests were decided", during)
	}
}

func TestEnginesThatNobodyRefersToEndInAnyOrder(t *testing.T) {
	file := withAlice(t, "")
	var ended atomic.Int64
	var decisions []*gatepost.Decision
	var handlers []http.Handler
	for i := range 24 {
		// The handles of the callbacks are let go of when the library has ended.
		engine, err := gatepost.Open(file, &gatepost.Options{
			OnEvent: func(context.Context, gatepost.Event) {},
			Clock:   clockThat(&ended),
		})
		if err != nil {
			t.Fatal(err)
		}
		d, err := engine.Decide(request("GET", "/orders/7", true))
		if err != nil {
			t.Fatal(err)
		}
		decisions = append(decisions, d)
		if i%3 == 0 {
			handlers = append(handlers, engine.Middleware(http.NotFoundHandler()))
		}
		if i%4 == 0 {
			_ = engine.Close()
		}
	}
	collect := func(wanted int64) {
		t.Helper()
		if !eventually(func() bool { runtime.GC(); return ended.Load() >= wanted }) {
			t.Fatalf("only %d engines have ended", ended.Load())
		}
	}
	// Every third is held by a handler.
	collect(24 - 8)
	for i, handler := range handlers {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request("GET", "/health", false))
		if wanted := map[bool]int{true: 503, false: 404}[i*3%4 == 0]; answer.Code != wanted {
			t.Errorf("%d: %d", i, answer.Code)
		}
	}
	handlers = nil
	collect(24)
	for _, d := range decisions {
		if d.Subject() != alice {
			t.Error("a decision has not outlived its engine")
		}
	}
}

// clockThat is a clock that counts when it is let go of.
func clockThat(ended *atomic.Int64) func() time.Time {
	held := new([64]byte)
	runtime.AddCleanup(held, func(count *atomic.Int64) { count.Add(1) }, ended)
	return func() time.Time {
		runtime.KeepAlive(held)
		return time.Now()
	}
}

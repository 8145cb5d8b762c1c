//go:build linux

package gatepost_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"gatepost.invalid/gatepost"
)

// resident is how much memory this process has of the machine, in KiB.
func resident(t *testing.T) int {
	t.Helper()
	debug.FreeOSMemory()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	var kib int
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		t.Fatal(err)
	}
	return kib
}

func threads(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func TestMemoryAndThreadsStayFlatUnderLoad(t *testing.T) {
	file := withAlice(t, "")
	engine := open(t, file, nil)
	handler := engine.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }))
	load := func(times int) {
		var wait sync.WaitGroup
		for worker := range 4 {
			wait.Add(1)
			go func() {
				defer wait.Done()
				for i := range times {
					handler.ServeHTTP(httptest.NewRecorder(), request("GET", "/orders/7", true))
					handler.ServeHTTP(httptest.NewRecorder(), request("GET", "/orders/7", false))
					handler.ServeHTTP(httptest.NewRecorder(), request("GET", "/nowhere", false))
					if i%50 == worker {
						if err := engine.Reload(); err != nil {
							t.Error(err)
						}
						_, _ = gatepost.CheckPolicyText("broken", file)
						if other, err := gatepost.Open(file, nil); err != nil {
							t.Error(err)
						} else {
							_ = other.Close()
						}
					}
				}
			}()
		}
		wait.Wait()
	}
	load(1500)
	before, threadsBefore := resident(t), threads(t)
	for range 3 {
		load(1500)
	}
	after, threadsAfter := resident(t), threads(t)
	t.Logf("%d KiB, then %d KiB; %d threads, then %d", before, after, threadsBefore, threadsAfter)
	// 54,000 requests: a leak of one decision each, about 300 octets, would be 16 MiB.
	if grown := after - before; grown > 8<<10 {
		t.Errorf("%d KiB more after 54,000 requests: %d, then %d", grown, before, after)
	}
	if threadsAfter > threadsBefore+8 {
		t.Errorf("%d threads, then %d", threadsBefore, threadsAfter)
	}
}

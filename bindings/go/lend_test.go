package gatepost_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"gatepost.invalid/gatepost"
)

// A request with few fields is lent, one with many is copied, and one to an engine with callbacks is always copied.
func TestARequestIsDecidedTheSameHoweverItIsHandedOver(t *testing.T) {
	file := withAlice(t, perHost)
	plain := open(t, file, nil)
	told := open(t, file, &gatepost.Options{OnEvent: func(context.Context, gatepost.Event) {}})
	for _, of := range []struct {
		target, peer string
		login        bool
	}{
		{"/health", "192.0.2.7:1", false}, {"/orders/7?x=1", "192.0.2.7:1", true}, {"/orders/7", "192.0.2.7:1", false},
		{"/near", "192.0.2.7:1", true}, {"/near", "198.51.100.7:1", true}, {"/where", "", false}, {"/orders/..%2f", "", true},
	} {
		var first string
		for count := range 24 {
			r := request("GET", of.target, of.login)
			r.RemoteAddr = of.peer
			r.Header["x_auth_subject"] = []string{"root"}
			for i := range count {
				r.Header.Add("X-Field", strings.Repeat("v", i))
			}
			raw := &gatepost.Request{Method: "GET", Target: of.target, Host: r.Host, Peer: of.peer, BodyComplete: true}
			for name, values := range r.Header {
				for _, value := range values {
					raw.Header = append(raw.Header, gatepost.Field{Name: name, Value: value})
				}
			}
			for name, engine := range map[string]*gatepost.Engine{"plain": plain, "told": told} {
				byHTTP, err := engine.Decide(r)
				if err != nil {
					t.Fatal(err)
				}
				byRequest, err := engine.DecideRequest(raw)
				if err != nil {
					t.Fatal(err)
				}
				for _, d := range []*gatepost.Decision{byHTTP, byRequest} {
					strip := d.Strip()
					slices.Sort(strip)
					got := fmt.Sprint(d.Action(), d.Status(), d.Reason(), d.Subject(), d.Scheme(), d.Roles(), strip, d.ResponseHeaders(), d.UpstreamHeaders())
					// The body of a refusal has the decision's own id.
					got += strings.ReplaceAll(d.Body(), d.ID(), "ID")
					if first == "" {
						first = got
					} else if got != first {
						t.Errorf("%s %s with %d more fields:\n%s\n%s", name, of.target, count, got, first)
					}
				}
			}
		}
	}
}

func TestEveryFieldIsHandedOverHoweverManyThereAre(t *testing.T) {
	engine := open(t, policy(t, ""), nil)
	for count := range 40 {
		for bad := range count {
			r := &gatepost.Request{Method: "GET", Target: "/health", Host: "orders.example.com", Header: make([]gatepost.Field, count)}
			for i := range r.Header {
				r.Header[i] = gatepost.Field{Name: "X-Field", Value: "v"}
			}
			r.Header[bad].Value = "v\x00"
			if d, err := engine.DecideRequest(r); err != nil || d.Reason() != gatepost.ReasonRequestMalformed {
				t.Fatalf("field %d of %d is not seen: %v %v", bad, count, d.Reason(), err)
			}
		}
	}
}

func TestABodyIsTakenAndJudgesNothing(t *testing.T) {
	engine := open(t, policy(t, ""), nil)
	for _, body := range [][]byte{nil, []byte("a=b"), make([]byte, 1<<20)} {
		d, err := engine.DecideRequest(&gatepost.Request{Method: "POST", Target: "/health", Host: "orders.example.com", Body: body, BodyComplete: true})
		if err != nil || d.Reason() != gatepost.ReasonPublic {
			t.Errorf("%d octets: %v %v", len(body), d.Reason(), err)
		}
	}
}

// What is lent lies on stacks that are small, grow and are collected meanwhile.
func TestWhatIsLentIsReadWhereItLiesWhileStacksGrowAndGarbageIsCollected(t *testing.T) {
	engine := open(t, withAlice(t, ""), nil)
	stop := make(chan struct{})
	var collecting, wait sync.WaitGroup
	collecting.Add(1)
	go func() {
		defer collecting.Done()
		for {
			select {
			case <-stop:
				return
			default:
				runtime.GC()
			}
		}
	}()
	for worker := range 200 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			deeper(t, engine, worker, 12)
		}()
	}
	wait.Wait()
	close(stop)
	collecting.Wait()
}

func deeper(t *testing.T, engine *gatepost.Engine, worker, depth int) {
	var room [64]byte
	id := string(fmt.Appendf(room[:0], "request-%d-%d", worker, depth))
	raw := gatepost.Request{Method: "GET", Target: "/orders/" + id, Host: "orders.example.com", ID: id, Header: []gatepost.Field{{Name: "X-Field", Value: id}}}
	d, err := engine.DecideRequest(&raw)
	if err != nil || d.ID() != id || d.Status() != http.StatusUnauthorized || !strings.Contains(d.Body(), id) {
		t.Errorf("%v %v", d, err)
	}
	if depth > 0 {
		deeper(t, engine, worker, depth-1)
	}
}

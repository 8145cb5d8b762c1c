package gatepost_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"gatepost.invalid/gatepost"
)

func request(method, target string, login bool) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	r.Host = "orders.example.com"
	r.RemoteAddr = "192.0.2.7:4711"
	if login {
		r.SetBasicAuth(alice, password)
	}
	return r
}

func TestDecideLetsInWhoMayAndSaysWho(t *testing.T) {
	engine := open(t, withAlice(t, ""), nil)
	r := request("GET", "/orders/7?x=1", true)
	r.Header.Set("X-Auth-Subject", "root")
	d, err := engine.Decide(r)
	if err != nil {
		t.Fatal(err)
	}
	if d.Err() != nil || d.Action() != gatepost.Allow || d.Status() != 200 || d.Reason() != gatepost.ReasonAllowed {
		t.Fatalf("%v %d %v", d.Action(), d.Status(), d.Reason())
	}
	identity, ok := d.Identity()
	if !ok || identity.Subject() != alice || identity.Issuer() != "" || identity.Scheme() != "basic" {
		t.Errorf("%q %q %q", identity.Subject(), identity.Issuer(), identity.Scheme())
	}
	if !slices.Equal(identity.Roles(), []string{"clerk"}) || !identity.HasRole("clerk") || identity.HasRole("admin") || identity.HasRole("") {
		t.Errorf("%q", identity.Roles())
	}
	if !slices.Contains(d.UpstreamHeaders(), gatepost.Header{Name: "X-Auth-Subject", Value: alice, Mode: gatepost.Set}) {
		t.Errorf("%v", d.UpstreamHeaders())
	}
	if !slices.Contains(d.ResponseHeaders(), gatepost.Header{Name: "Cache-Control", Value: "private, no-store", Mode: gatepost.SetIfAbsent}) {
		t.Errorf("%v", d.ResponseHeaders())
	}
	if !slices.Contains(d.Strip(), "X-Auth-Subject") || !slices.Contains(d.Strip(), "X-Auth-Roles") {
		t.Errorf("%v", d.Strip())
	}
	if d.ID() == "" || d.Body() != "" || d.Generation() != 1 || d.RetryAfter() != 0 {
		t.Errorf("%q %q %d %v", d.ID(), d.Body(), d.Generation(), d.RetryAfter())
	}
}

func TestDecideRefusesAndSaysWhy(t *testing.T) {
	engine := open(t, withAlice(t, ""), nil)
	for _, wanted := range []struct {
		method, target string
		login          bool
		reason         gatepost.Reason
		status         int
	}{
		{"GET", "/orders/7", false, gatepost.ReasonCredentialsMissing, 401},
		{"DELETE", "/orders/7", true, gatepost.ReasonPermissionMissing, 403},
		{"POST", "/orders/7", true, gatepost.ReasonMethodNotGranted, 403},
		{"GET", "/nowhere", true, gatepost.ReasonRouteUnknown, 403},
		{"GET", "/secure", true, gatepost.ReasonTLSRequired, 403},
		{"GET", "/orders/..%2f..%2fsecure", true, gatepost.ReasonTargetAmbiguous, 400},
	} {
		d, err := engine.Decide(request(wanted.method, wanted.target, wanted.login))
		if err != nil {
			t.Fatal(err)
		}
		refusal := d.Err()
		if !errors.Is(refusal, wanted.reason) || errors.Is(refusal, gatepost.ReasonInternal) || d.Status() != wanted.status {
			t.Errorf("%s %s: %v", wanted.method, wanted.target, refusal)
		}
		var as *gatepost.Refusal
		if !errors.As(refusal, &as) || as.Reason != wanted.reason || as.Status != wanted.status || as.ID != d.ID() {
			t.Errorf("%s %s: %+v", wanted.method, wanted.target, as)
		}
		if !strings.Contains(refusal.Error(), wanted.reason.String()) || !strings.Contains(d.Body(), d.ID()) {
			t.Errorf("%v\n%s", refusal, d.Body())
		}
	}
}

func TestDecideRefusesAWrongPasswordAndThenThrottles(t *testing.T) {
	engine := open(t, withAlice(t, "\n[throttle]\npair = { failures = 3, per = \"15m\" }\n"), nil)
	r := request("GET", "/orders/7", false)
	r.SetBasicAuth(alice, "not the password of anybody")
	var reasons []gatepost.Reason
	for range 4 {
		d, err := engine.Decide(r)
		if err != nil {
			t.Fatal(err)
		}
		reasons = append(reasons, d.Reason())
		if d.Reason() == gatepost.ReasonThrottled && d.RetryAfter() <= 0 {
			t.Error("a throttled client is not told when to come again")
		}
	}
	wrong := gatepost.ReasonCredentialsInvalid
	if !slices.Equal(reasons, []gatepost.Reason{wrong, wrong, wrong, gatepost.ReasonThrottled}) {
		t.Error(reasons)
	}
}

package gatepost_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatepost.invalid/gatepost"
)

const perHost = `
[[route]]
path = "/where"
host = "admin.example.com"
access = "public"
[[route]]
path = "/near"
require = { network = ["192.0.2.0/24"] }
`

func reason(t *testing.T, engine *gatepost.Engine, r *http.Request) gatepost.Reason {
	t.Helper()
	d, err := engine.Decide(r)
	if err != nil {
		t.Fatal(err)
	}
	return d.Reason()
}

func TestHostTargetAndPeerAreTakenAsTheyCame(t *testing.T) {
	engine := open(t, withAlice(t, perHost), nil)
	r := request("GET", "/where", false)
	if got := reason(t, engine, r); got != gatepost.ReasonRouteUnknown {
		t.Error(got)
	}
	r.Host = "admin.example.com"
	if got := reason(t, engine, r); got != gatepost.ReasonPublic {
		t.Error(got)
	}
	// What a router has made of the target does not count.
	r.URL.Path = "/orders/7"
	if got := reason(t, engine, r); got != gatepost.ReasonPublic {
		t.Error(got)
	}
	r = request("GET", "/orders/7", false)
	r.URL.Path = "/health"
	if got := reason(t, engine, r); got != gatepost.ReasonCredentialsMissing {
		t.Error(got)
	}
	near := request("GET", "/near", true)
	if got := reason(t, engine, near); got != gatepost.ReasonAllowed {
		t.Error(got)
	}
	for _, peer := range []string{"198.51.100.7:1", "[2001:db8::1]:1", "", "@", "nonsense"} {
		near.RemoteAddr = peer
		if got := reason(t, engine, near); got != gatepost.ReasonNetworkNotAllowed {
			t.Errorf("%q: %v", peer, got)
		}
	}
	near.RemoteAddr = "[::ffff:192.0.2.9]:1"
	if got := reason(t, engine, near); got != gatepost.ReasonAllowed {
		t.Error(got)
	}
}

func TestRepeatedFieldsAreTwoFields(t *testing.T) {
	engine := open(t, withAlice(t, ""), nil)
	r := request("GET", "/orders/7", true)
	r.Header.Add("Authorization", "Bearer x")
	if got := reason(t, engine, r); got.Status() != 400 {
		t.Error(got)
	}
}

func TestDecideRequestSeesEveryOctet(t *testing.T) {
	engine := open(t, policy(t, ""), nil)
	ask := func(change func(*gatepost.Request)) *gatepost.Decision {
		r := &gatepost.Request{Method: "GET", Target: "/health", Host: "a.example", Peer: "192.0.2.7", ID: "4711"}
		change(r)
		d, err := engine.DecideRequest(r)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if d := ask(func(*gatepost.Request) {}); d.Reason() != gatepost.ReasonPublic || d.ID() != "4711" {
		t.Errorf("%v %q", d.Reason(), d.ID())
	}
	for _, value := range []string{"a\r\nX-Auth-Subject: root", "a\nb", "a\x00b"} {
		d := ask(func(r *gatepost.Request) { r.Header = []gatepost.Field{{Name: "X-Odd", Value: value}} })
		if d.Reason() != gatepost.ReasonRequestMalformed {
			t.Errorf("%q: %v", value, d.Reason())
		}
	}
	d := ask(func(r *gatepost.Request) { r.Header = []gatepost.Field{{Name: "X-Odd\r\nHost", Value: "b"}} })
	if d.Reason() != gatepost.ReasonRequestMalformed {
		t.Error(d.Reason())
	}
	// More fields than the shim has room for by itself.
	many := make([]gatepost.Field, 60)
	for i := range many {
		many[i] = gatepost.Field{Name: "x_auth_subject", Value: "root"}
	}
	d = ask(func(r *gatepost.Request) { r.Header = many })
	if d.Reason() != gatepost.ReasonPublic || !slices.Contains(d.Strip(), "x_auth_subject") {
		t.Errorf("%v %v", d.Reason(), d.Strip())
	}
	long := strings.Repeat("a", 1<<20)
	d = ask(func(r *gatepost.Request) { r.Header = []gatepost.Field{{Name: "X-Long", Value: long}} })
	if d.Err() == nil {
		t.Error("a field of a mebibyte is taken")
	}
}

func TestAnAnswerThatNeedsMoreRoomComesWhole(t *testing.T) {
	engine := open(t, policy(t, ""), nil)
	var header []gatepost.Field
	for i := range 90 {
		spelling := []byte("x_auth_subject")
		for bit := range 7 {
			if i>>bit&1 == 1 {
				spelling[[]int{0, 2, 3, 4, 5, 7, 8}[bit]] -= 'a' - 'A'
			}
		}
		header = append(header, gatepost.Field{Name: string(spelling), Value: "root"})
	}
	id := strings.Repeat("i", 64)
	d, err := engine.DecideRequest(&gatepost.Request{Method: "GET", Target: "/orders/7", Host: "a.example", ID: id, Header: header})
	if err != nil {
		t.Fatal(err)
	}
	strip := d.Strip()
	for _, field := range header {
		if !slices.Contains(strip, field.Name) {
			t.Errorf("%s is not stripped", field.Name)
		}
	}
	if d.ID() != id || !strings.Contains(d.Body(), id) {
		t.Errorf("%q %q", d.ID(), d.Body())
	}
}

func TestWantsBodyIsNone(t *testing.T) {
	engine := open(t, policy(t, ""), nil)
	if most, err := engine.WantsBody(&gatepost.Request{Method: "POST", Target: "/health", Header: make([]gatepost.Field, 60)}); most != 0 || err != nil {
		t.Errorf("%d %v", most, err)
	}
}

// authority makes certificates.
func authority(t *testing.T) (*x509.CertPool, func(name string) tls.Certificate) {
	t.Helper()
	make := func(template, parent *x509.Certificate, signer any) ([]byte, *ecdsa.PrivateKey) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if signer == nil {
			signer = key
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
		if err != nil {
			t.Fatal(err)
		}
		return der, key
	}
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, key := make(root, root, nil)
	root, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(root)
	return pool, func(name string) tls.Certificate {
		leaf := &x509.Certificate{
			SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
			NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		}
		der, private := make(leaf, root, key)
		return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}
	}
}

func TestTLSAndClientCertificatesOfARealHandshake(t *testing.T) {
	file := withAlice(t, `
[[certificate]]
subject = "CN=billing"
user = "alice"
[[route]]
path = "/machines"
schemes = ["client-cert"]
`)
	engine := open(t, file, nil)
	pool, issue := authority(t)
	_, issueOther := authority(t)
	for _, c := range []struct {
		name        string
		auth        tls.ClientAuthType
		certificate []tls.Certificate
		path        string
		status      int
	}{
		{"verified", tls.VerifyClientCertIfGiven, []tls.Certificate{issue("billing")}, "/machines", 204},
		{"of a stranger", tls.VerifyClientCertIfGiven, []tls.Certificate{issue("nobody")}, "/machines", 401},
		{"none", tls.VerifyClientCertIfGiven, nil, "/machines", 401},
		// Nobody has verified its chain: anybody can make one with that name.
		{"not verified", tls.RequestClientCert, []tls.Certificate{issueOther("billing")}, "/machines", 401},
		{"TLS alone", tls.NoClientCert, nil, "/secure", 401},
	} {
		server := httptest.NewUnstartedServer(engine.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if who, ok := gatepost.FromContext(r.Context()); !ok || who.Subject() != alice || who.Scheme() != "client-cert" {
				t.Errorf("%s: %v", c.name, who)
			}
			w.WriteHeader(204)
		})))
		server.TLS = &tls.Config{ClientAuth: c.auth, ClientCAs: pool}
		server.EnableHTTP2 = true
		server.StartTLS()
		client := server.Client()
		client.Transport.(*http.Transport).TLSClientConfig.Certificates = c.certificate
		answer, err := client.Get(server.URL + c.path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		if answer.StatusCode != c.status || answer.ProtoMajor != 2 {
			t.Errorf("%s: %s %d %s", c.name, answer.Proto, answer.StatusCode, body)
		}
		server.Close()
	}
}

func TestAUnixSocketIsAPeerOfItsOwn(t *testing.T) {
	file := withAlice(t, "\n[proxies]\ntrusted = [\"unix:\"]\nheader = \"X-Forwarded-For\"\n"+perHost)
	engine := open(t, file, nil)
	path := filepath.Join(t.TempDir(), "socket")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: engine.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) }))}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}}
	for from, status := range map[string]int{"192.0.2.9": 204, "198.51.100.7": 403} {
		r, _ := http.NewRequest("GET", "http://orders.example.com/near", nil)
		r.SetBasicAuth(alice, password)
		r.Header.Set("X-Forwarded-For", from)
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != status {
			t.Errorf("%s: %d", from, answer.StatusCode)
		}
	}
}

package services

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gatepost.invalid/gatepost"
)

var routers = map[string]func(*gatepost.Engine) http.Handler{"net/http": NetHTTP, "chi": Chi, "gin": Gin}

var people = map[string]string{"alice": "four cups of green tea each noon", "bruno": "a rope of sand and one old kite"}

// each opens the example's policy for each router, with a clerk and an admin, and serves it on loopback over TLS.
func each(t *testing.T, test func(t *testing.T, server *httptest.Server)) {
	t.Helper()
	text, err := os.ReadFile("../orders/orders.toml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "orders.toml")
	more := "\n[[route]]\npath = \"/metrics\"\nrequire = { role = \"admin\" }\n"
	if err := os.WriteFile(file, append(text, more...), 0o600); err != nil {
		t.Fatal(err)
	}
	release := os.Getenv("GATEPOST_RELEASE")
	if release == "" {
		release = "../../../../target/release"
	}
	for name, role := range map[string]string{"alice": "clerk", "bruno": "admin"} {
		add := exec.Command(filepath.Join(release, "gatepost"), "user", "add", name, "--role", role, "--policy", file)
		add.Stdin = strings.NewReader(people[name] + "\n")
		if out, err := add.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	for name, service := range routers {
		t.Run(name, func(t *testing.T) {
			engine, err := gatepost.Open(file, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer engine.Close()
			server := httptest.NewUnstartedServer(service(engine))
			server.EnableHTTP2 = true
			// Clients that a server's end cuts off are part of a test.
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.StartTLS()
			defer server.Close()
			test(t, server)
		})
	}
}

// ask sends one request with Go's client and answers status and body.
func ask(t *testing.T, client *http.Client, method, url, user string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if user != "" {
		r.SetBasicAuth(user, people[user])
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

func TestEachRouterKnowsWhoAsks(t *testing.T) {
	each(t, func(t *testing.T, server *httptest.Server) {
		client := server.Client()
		for _, c := range []struct {
			method, path, user string
			status             int
			said               string
		}{
			{"GET", "/health", "", 200, `"ok"`},
			{"GET", "/orders/7", "alice", 200, `{"id":"7","for":"alice","as":["clerk"],"edit":false}`},
			{"GET", "/orders/7", "bruno", 200, `"edit":true`},
			{"GET", "/orders/7", "", 401, `"credentials_missing"`},
			{"DELETE", "/orders/7", "alice", 403, `"permission_missing"`},
			{"DELETE", "/orders/7", "bruno", 204, ""},
			{"GET", "/stock", "bruno", 200, `"all of it"`},
			{"GET", "/stock", "alice", 403, `"role_missing"`},
			{"GET", "/stock", "", 401, `"credentials_missing"`},
			{"GET", "/nowhere", "alice", 403, `"route_unknown"`},
			{"GET", "/metrics", "bruno", 200, "# EOF"},
			{"GET", "/metrics", "alice", 403, `"role_missing"`},
			{"GET", "/orders%2f7/../x", "alice", 400, `"target_ambiguous"`},
		} {
			answer, body := ask(t, client, c.method, server.URL+c.path, c.user, "X-Auth-Subject", "root")
			if answer.StatusCode != c.status || !strings.Contains(body, c.said) {
				t.Errorf("%s %s as %q: %d %s", c.method, c.path, c.user, answer.StatusCode, body)
			}
			if answer.ProtoMajor != 2 {
				t.Errorf("%s", answer.Proto)
			}
			if challenge := answer.Header.Get("WWW-Authenticate"); (challenge != "") != (answer.StatusCode == 401) {
				t.Errorf("%d %q", answer.StatusCode, challenge)
			}
			if c.path == "/metrics" && c.status == 200 && !strings.HasPrefix(answer.Header.Get("Content-Type"), "application/openmetrics-text") {
				t.Errorf("%v", answer.Header)
			}
		}
	})
}

func TestUsersThatTakeTurnsOnOneConnectionAreNeverMixedUp(t *testing.T) {
	each(t, func(t *testing.T, server *httptest.Server) {
		for _, http2 := range []bool{false, true} {
			var dialled sync.Map
			transport := server.Client().Transport.(*http.Transport).Clone()
			transport.MaxConnsPerHost = 1
			if !http2 {
				transport.ForceAttemptHTTP2 = false
				transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
				transport.TLSClientConfig.NextProtos = []string{"http/1.1"}
			}
			transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := new(net.Dialer).DialContext(ctx, network, address)
				if err == nil {
					dialled.Store(conn.LocalAddr().String(), true)
				}
				return conn, err
			}
			client := &http.Client{Transport: transport}
			var wait sync.WaitGroup
			for worker := range 4 {
				wait.Add(1)
				go func() {
					defer wait.Done()
					for i := range 60 {
						user := []string{"alice", "bruno", ""}[(i+worker)%3]
						answer, body := ask(t, client, "GET", server.URL+"/orders/7", user)
						var got Order
						_ = json.Unmarshal([]byte(body), &got)
						if got.For != user || (user == "") != (answer.StatusCode == 401) || (answer.ProtoMajor == 2) != http2 {
							t.Errorf("%q got %s %d %s", user, answer.Proto, answer.StatusCode, body)
						}
					}
				}()
			}
			wait.Wait()
			transport.CloseIdleConnections()
			count := 0
			dialled.Range(func(any, any) bool { count++; return true })
			if count != 1 {
				t.Errorf("%d connections", count)
			}
		}
	})
}

// curl runs curl and answers the status and the body.
func curl(t *testing.T, server *httptest.Server, arguments ...string) string {
	t.Helper()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(ca, authority, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("curl", append([]string{"-sS", "--max-time", "180", "--cacert", ca, "-w", " %{http_version} %{http_code}"}, arguments...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("curl %v: %v\n%s", arguments, err, out)
	}
	return string(out)
}

func TestCurlIsAnsweredAlike(t *testing.T) {
	each(t, func(t *testing.T, server *httptest.Server) {
		order := server.URL + "/orders/7"
		login := "alice:" + people["alice"]
		for _, c := range []struct {
			arguments []string
			wanted    []string
		}{
			{[]string{"--http1.1", "-u", login, order}, []string{`"for":"alice"`, " 1.1 200"}},
			{[]string{"--http2", "-u", login, order}, []string{`"for":"alice"`, " 2 200"}},
			{[]string{"--http1.1", "-u", "alice:wrong", order}, []string{"credentials_invalid", " 1.1 401"}},
			{[]string{"--http2", order}, []string{"credentials_missing", " 2 401"}},
			{[]string{"--http1.1", "-H", "Accept: text/html", order}, []string{"<html", " 1.1 401"}},
			{[]string{"--http1.1", "-I", order}, []string{"www-authenticate: basic", " 1.1 401"}},
			{[]string{"--http1.1", "-u", login, "-X", "DELETE", "-d", strings.Repeat("x", 1<<16), order}, []string{"permission_missing", " 1.1 403"}},
			{[]string{"--http1.1", "-u", login, "-H", "X-Auth-Subject: root", "-H", "X_Auth_Subject: root", order}, []string{`"for":"alice"`, " 1.1 200"}},
			// The client says what the target is, and the path in a URL that it names whole counts.
			{[]string{"--http1.1", "--request-target", "https://orders.example.com/health", order}, []string{`"ok"`, " 1.1 200"}},
			{[]string{"--http1.1", "--path-as-is", server.URL + "/health/../orders/7"}, []string{" 1.1 40"}},
		} {
			said := curl(t, server, c.arguments...)
			for _, wanted := range c.wanted {
				if !strings.Contains(strings.ToLower(said), strings.ToLower(wanted)) {
					t.Errorf("curl %v: %q is not in %s", c.arguments, wanted, said)
				}
			}
		}
	})
}

func TestAServerThatShutsDownAnswersThoseWhoWait(t *testing.T) {
	each(t, func(t *testing.T, server *httptest.Server) {
		client := server.Client()
		statuses := make(chan string, 8)
		for i := range 8 {
			go func() {
				r, _ := http.NewRequest("GET", server.URL+"/orders/7", nil)
				r.SetBasicAuth(fmt.Sprint("nobody", i), fmt.Sprint("a password that is hashed ", i))
				answer, err := client.Do(r)
				if err != nil {
					// Not begun when the server closed.
					statuses <- "none"
					return
				}
				_ = answer.Body.Close()
				statuses <- answer.Status
			}()
		}
		first := <-statuses
		server.Close()
		for range 7 {
			if status := <-statuses; status != "none" && !strings.HasPrefix(status, "401") && !strings.HasPrefix(status, "429") {
				t.Error(status)
			}
		}
		if !strings.HasPrefix(first, "401") && !strings.HasPrefix(first, "429") {
			t.Error(first)
		}
	})
}

package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"gatepost.invalid/gatepost"
)

// tokens measures verifying one token of each algorithm: by golang-jwt, with its key parsed, and by whole decisions of
// ours, for which the token is new each time, or remembered.
func tokens(folder string) {
	type issued struct {
		name   string
		verify any
		token  string
	}
	var all []issued
	policy := "[engine]\nname = \"Orders\"\nstate = \":memory:\"\n%s"
	for _, name := range []string{"HS256", "RS256", "ES256", "EdDSA"} {
		var signing, verify any
		file := filepath.Join(folder, name+".key")
		switch name {
		case "HS256":
			secret := make([]byte, 32)
			_, _ = rand.Read(secret)
			signing, verify = secret, secret
			if err := os.WriteFile(file, secret, 0o600); err != nil {
				fail(err)
			}
			policy += issuer(name, "secret_file", "encoding = \"raw\"")
		default:
			private := private(name)
			signing, verify = private, private.Public()
			der := must(x509.MarshalPKIXPublicKey(verify))
			if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o600); err != nil {
				fail(err)
			}
			policy += issuer(name, "file", "")
		}
		token := jwt.NewWithClaims(jwt.GetSigningMethod(name), jwt.MapClaims{
			"iss": "https://accounts.example.com/" + name, "aud": []string{"orders"}, "sub": "248289761001", "client_id": "web", "jti": "0f8fad5b-d9cb-469f",
			"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(), "scope": "orders:read orders:write profile", "roles": []string{"clerk"},
			"name": "Rita Example", "email": "rita@example.com", "email_verified": true, "sid": "08a5019c-17e1-4977",
		})
		token.Header["typ"] = "at+jwt"
		all = append(all, issued{name, verify, must(token.SignedString(signing))})
	}
	policy += "[[role]]\nname = \"clerk\"\n[[route]]\npath = \"/orders/{id}\"\nschemes = [\"bearer\"]\nrequire = { role = \"clerk\" }\n"
	cold := must(gatepost.New(fmt.Sprintf(policy, "token_cache_kib = 0\n"), folder, nil))
	warm := must(gatepost.New(fmt.Sprintf(policy, ""), folder, nil))

	fmt.Printf("%-8s %12s %24s %24s\n", "ns", "golang-jwt", "decided, token new", "decided, remembered")
	for _, one := range all {
		parser := jwt.NewParser(jwt.WithValidMethods([]string{one.name}), jwt.WithAudience("orders"),
			jwt.WithIssuer("https://accounts.example.com/"+one.name), jwt.WithExpirationRequired())
		theirs := func() error {
			_, err := parser.Parse(one.token, func(*jwt.Token) (any, error) { return one.verify, nil })
			return err
		}
		request := &http.Request{Method: "GET", RequestURI: "/orders/7", URL: &url.URL{Path: "/orders/7"}, Host: "orders.example.com", RemoteAddr: "192.0.2.7:4711",
			Header: http.Header{"User-Agent": {"curl/8.14.1"}, "Accept": {"application/json"}, "Authorization": {"Bearer " + one.token}}}
		ours := func(engine *gatepost.Engine) func() error {
			return func() error {
				d, err := engine.Decide(request)
				if err != nil {
					return err
				}
				return d.Err()
			}
		}
		ways := []func() error{theirs, ours(cold), ours(warm)}
		took := make([][]float64, len(ways))
		for range turns(401) {
			for i, way := range ways {
				begun, times := time.Now(), 5
				for range times {
					if err := way(); err != nil {
						fail(err)
					}
				}
				took[i] = append(took[i], float64(time.Since(begun).Nanoseconds())/float64(times))
			}
		}
		reference := quick(took[0])
		fmt.Printf("%-8s %12.0f %12.0f (%6.2f x) %12.0f (%6.2f x)\n", one.name, reference,
			quick(took[1]), reference/quick(took[1]), quick(took[2]), reference/quick(took[2]))
	}
}

func private(name string) interface {
	crypto.Signer
} {
	switch name {
	case "RS256":
		return must(rsa.GenerateKey(rand.Reader, 2048))
	case "ES256":
		return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return must(key, err)
}

func issuer(name, kind, encoding string) string {
	if encoding != "" {
		encoding = ", " + encoding
	}
	return fmt.Sprintf("[[issuer]]\nname = \"%s\"\nissuer = \"https://accounts.example.com/%[1]s\"\naudience = [\"orders\"]\nalgorithms = [\"%[1]s\"]\n"+
		"keys = { %[2]s = \"%[1]s.key\"%[3]s }\nclaims = { subject = \"sub\", roles = \"roles\", scopes = \"scope\" }\n", name, kind, encoding)
}

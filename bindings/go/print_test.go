package gatepost_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"gatepost.invalid/gatepost"
)

// printed is a value in the ways in which programs print it.
func printed(value any) map[string]string {
	var text, json bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("x", "value", value)
	slog.New(slog.NewJSONHandler(&json, nil)).Info("x", "value", value)
	return map[string]string{
		"%v": fmt.Sprintf("%v", value), "%+v": fmt.Sprintf("%+v", value), "%#v": fmt.Sprintf("%#v", value), "%s": fmt.Sprintf("%s", value),
		"slog text": text.String(), "slog JSON": json.String(),
	}
}

func TestAnIdentityPrintsAsWhoItIs(t *testing.T) {
	engine := open(t, withAlice(t, ""), nil)
	d, err := engine.Decide(request("GET", "/orders/7", true))
	if err != nil {
		t.Fatal(err)
	}
	who, _ := d.Identity()
	if said := fmt.Sprint(who); said != `"alice" by "basic" roles "clerk"` {
		t.Error(said)
	}
	for way, said := range printed(who) {
		if !strings.Contains(said, "alice") || strings.Contains(said, "0x") {
			t.Errorf("%s: %s", way, said)
		}
	}
	if said := fmt.Sprint(gatepost.Identity{}); said != "nobody" {
		t.Error(said)
	}
}

func TestADecisionPrintsNeitherFieldsNorBody(t *testing.T) {
	engine := open(t, withAlice(t, ""), nil)
	for _, c := range []struct {
		login  bool
		wanted string
	}{
		{false, "DENY 401 credentials_missing (id "},
		{true, "ALLOW 200 allowed (id "},
	} {
		d, err := engine.Decide(request("GET", "/orders/7", c.login))
		if err != nil {
			t.Fatal(err)
		}
		for way, said := range printed(d) {
			if !strings.Contains(said, c.wanted) || !strings.Contains(said, d.ID()) {
				t.Errorf("%s: %s", way, said)
			}
			for _, hidden := range []string{"Cache-Control", "X-Auth-Subject", "realm", "about:blank"} {
				if strings.Contains(said, hidden) {
					t.Errorf("%s holds %s: %s", way, hidden, said)
				}
			}
		}
	}
	var none *gatepost.Decision
	if said := none.String(); said != "DENY 500 internal (id ) nobody" || fmt.Sprint(gatepost.DecisionFromContext(t.Context())) == "" {
		t.Error(said)
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	const secret = "s3cr3t"
	for name, value := range map[string]any{
		"alice":    gatepost.Tokens{AccessToken: secret, RefreshToken: secret, JSON: secret, User: "alice"},
		"pointer":  &gatepost.Tokens{AccessToken: secret, User: "pointer"},
		"web":      gatepost.RefreshRequest{Token: secret, ClientID: "web"},
		"of a":     gatepost.Revocation{Token: secret},
		"bob":      gatepost.Revocation{User: "bob"},
		"/orders/": gatepost.Request{Method: http.MethodGet, Target: "/orders/7?key=" + secret, Header: []gatepost.Field{{Name: "Authorization", Value: secret}}, Body: []byte(secret)},
	} {
		for way, said := range printed(value) {
			if strings.Contains(said, secret) || !strings.Contains(said, name) {
				t.Errorf("%s: %s", way, said)
			}
		}
	}
}

func TestNumbersPrintAsNames(t *testing.T) {
	for wanted, value := range map[string]any{
		"role_missing": gatepost.ReasonRoleMissing, "ALLOW": gatepost.Allow, "append": gatepost.Append,
		"info": gatepost.Info, "notice": gatepost.Notice, "warning": gatepost.Warning, "error": gatepost.Fault,
	} {
		if said := fmt.Sprint(value); said != wanted {
			t.Errorf("%s: %s", wanted, said)
		}
	}
}

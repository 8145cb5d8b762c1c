package gatepost_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"gatepost.invalid/gatepost"
)

func TestATokenIsIssuedUsedAndRevoked(t *testing.T) {
	engine := open(t, withAlice(t, ""), nil)
	authenticated := time.Now().Add(-time.Minute)
	tokens, err := engine.IssueToken(gatepost.TokenRequest{
		Signer: "access", User: alice, ClientID: "app", Session: "s-1", Claims: `{"tenant":"tea"}`, Scopes: []string{"orders:read", "x"},
		Audience: []string{"orders"}, Factors: []string{"pwd"}, Lifetime: 9 * time.Minute, AuthenticatedAt: authenticated,
	})
	if err != nil {
		t.Fatal(err)
	}
	if tokens.User != alice || tokens.Session != "s-1" || tokens.Scope != "orders:read x" || tokens.RefreshToken != "" || tokens.TokenID == "" ||
		tokens.ExpiresIn != 9*time.Minute || time.Until(tokens.ExpiresAt) > 9*time.Minute || !tokens.RefreshExpiresAt.IsZero() {
		t.Errorf("%+v", tokens)
	}
	var answer map[string]any
	if err := json.Unmarshal([]byte(tokens.JSON), &answer); err != nil || answer["access_token"] != tokens.AccessToken {
		t.Errorf("%v %s", err, tokens.JSON)
	}
	r := request("GET", "/orders/7", false)
	r.Header.Set("Authorization", "Bearer "+tokens.AccessToken)
	d, err := engine.Decide(r)
	if err != nil || d.Reason() != gatepost.ReasonAllowed || d.Subject() != alice || d.Scheme() != "bearer" || !slices.Equal(d.Scopes(), []string{"orders:read", "x"}) {
		t.Errorf("%v %v", err, d)
	}
	if who, _ := d.Identity(); !who.HasScope("orders:read") || who.HasScope("orders") {
		t.Error(d.Scopes())
	}

	v, err := engine.VerifyToken(tokens.AccessToken, time.Time{})
	if err != nil || v.Err() != nil || !v.Good || v.Subject != alice || v.TokenID != tokens.TokenID || v.SessionID != "s-1" || v.IssuerName != "access" ||
		!v.ExpiresAt.Equal(tokens.ExpiresAt) || v.IssuedAt.IsZero() || !slices.Equal(v.Roles, []string{"clerk"}) || v.Status != 200 || v.Detail != "" {
		t.Errorf("%v %+v", err, v)
	}
	var claims struct {
		Tenant   string
		AMR      []string
		AuthTime int64 `json:"auth_time"`
	}
	if err := json.Unmarshal([]byte(v.Claims), &claims); err != nil || claims.Tenant != "tea" || claims.AuthTime != authenticated.Unix() || !slices.Equal(claims.AMR, []string{"pwd"}) {
		t.Errorf("%v %s", err, v.Claims)
	}
	late, err := engine.VerifyToken(tokens.AccessToken, time.Now().Add(time.Hour))
	if err != nil || !errors.Is(late.Err(), gatepost.ReasonTokenExpired) || late.Detail == "" || late.Claims != "" {
		t.Errorf("%v %+v", err, late)
	}

	for range 2 {
		if err := engine.RevokeToken(gatepost.Revocation{Token: tokens.AccessToken}); err != nil {
			t.Fatal(err)
		}
	}
	if got := reason(t, engine, r); got != gatepost.ReasonTokenRevoked {
		t.Error(got)
	}
}

func TestTheOtherWaysToRevoke(t *testing.T) {
	engine := open(t, withAlice(t, ""), nil)
	now := time.Now()
	for _, c := range []struct {
		name       string
		issued     time.Duration
		revocation func(*gatepost.Tokens) gatepost.Revocation
	}{
		{"id", 0, func(of *gatepost.Tokens) gatepost.Revocation {
			return gatepost.Revocation{Issuer: "access", TokenID: of.TokenID}
		}},
		{"session", 0, func(of *gatepost.Tokens) gatepost.Revocation {
			return gatepost.Revocation{Issuer: "access", SessionID: of.Session, Until: of.ExpiresAt}
		}},
		{"subject", 0, func(*gatepost.Tokens) gatepost.Revocation {
			return gatepost.Revocation{Issuer: "access", Subject: alice, Before: now.Add(10 * time.Second)}
		}},
		{"user", 20 * time.Second, func(*gatepost.Tokens) gatepost.Revocation {
			return gatepost.Revocation{User: alice, Before: now.Add(30 * time.Second)}
		}},
	} {
		tokens, err := engine.IssueToken(gatepost.TokenRequest{User: alice, Session: c.name, Now: now.Add(c.issued)})
		if err != nil {
			t.Fatal(err)
		}
		verify := func() error {
			v, err := engine.VerifyToken(tokens.AccessToken, now.Add(c.issued+time.Second))
			if err != nil {
				t.Fatal(err)
			}
			return v.Err()
		}
		if err := verify(); err != nil {
			t.Errorf("%s: %v before it is revoked", c.name, err)
		}
		if err := engine.RevokeToken(c.revocation(tokens)); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if err := verify(); !errors.Is(err, gatepost.ReasonTokenRevoked) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if err := engine.RevokeToken(gatepost.Revocation{User: alice, TokenID: "x"}); !errors.Is(err, gatepost.StatusInvalidArgument) {
		t.Error(err)
	}
}

func TestARefreshTokenIsExchangedOnce(t *testing.T) {
	engine := open(t, withAlice(t, ""), nil)
	now := time.Now()
	first, err := engine.IssueToken(gatepost.TokenRequest{User: alice, ClientID: "app", Scopes: []string{"a", "b"}, Refresh: true, Now: now})
	if err != nil || first.RefreshToken == "" || first.RefreshExpiresAt.Before(now) {
		t.Fatalf("%v %+v", err, first)
	}
	ask := func(token, client string, later time.Duration, scopes ...string) (*gatepost.Tokens, error) {
		return engine.RefreshToken(gatepost.RefreshRequest{Token: token, ClientID: client, Scopes: scopes, Now: now.Add(later)})
	}
	if _, err := ask(first.RefreshToken, "another", time.Second); !errors.Is(err, gatepost.StatusRefused) {
		t.Error(err)
	}
	if _, err := ask("nonsense", "app", time.Second); !errors.Is(err, gatepost.StatusRefused) {
		t.Error(err)
	}
	if _, err := ask(first.RefreshToken, "app", time.Second, "a", "c"); !errors.Is(err, gatepost.StatusInvalidArgument) {
		t.Error(err)
	}
	second, err := ask(first.RefreshToken, "app", time.Second, "a")
	if err != nil || second.Scope != "a" || second.RefreshToken == first.RefreshToken {
		t.Fatalf("%v %+v", err, second)
	}
	// Long after the grace, the used one ends the login.
	if _, err := ask(first.RefreshToken, "app", time.Hour); !errors.Is(err, gatepost.StatusRefused) {
		t.Error(err)
	}
	if _, err := ask(second.RefreshToken, "app", time.Hour); !errors.Is(err, gatepost.StatusRefused) {
		t.Error(err)
	}
}

func TestWhatCannotBeIssuedIsAnError(t *testing.T) {
	engine := open(t, withAlice(t, ""), nil)
	for _, c := range []struct {
		request gatepost.TokenRequest
		status  gatepost.Status
	}{
		{gatepost.TokenRequest{User: "nobody"}, gatepost.StatusConflict},
		{gatepost.TokenRequest{User: alice, Claims: "{"}, gatepost.StatusInvalidArgument},
		{gatepost.TokenRequest{User: alice, Signer: "none"}, gatepost.StatusInvalidArgument},
		{gatepost.TokenRequest{User: alice, Audience: []string{"elsewhere"}}, gatepost.StatusInvalidArgument},
		{gatepost.TokenRequest{User: alice, Lifetime: time.Millisecond}, gatepost.StatusInvalidArgument},
	} {
		if _, err := engine.IssueToken(c.request); !errors.Is(err, c.status) {
			t.Errorf("%+v: %v", c.request, err)
		}
	}
}

func TestPasswordsAreHashedAndChecked(t *testing.T) {
	engine := open(t, policy(t, ""), nil)
	byEngine, err := engine.HashPassword(password)
	if err != nil {
		t.Fatal(err)
	}
	alone, err := gatepost.HashPassword(password)
	if err != nil || alone == byEngine {
		t.Fatal(err)
	}
	for _, hash := range []string{byEngine, alone} {
		if !strings.HasPrefix(hash, "$argon2id$v=19$") {
			t.Error(hash)
		}
		for given, wanted := range map[string]bool{password: true, "": false, password + "x": false, "a\x00b": false} {
			if matches, err := gatepost.VerifyPassword(given, hash); err != nil || matches != wanted {
				t.Errorf("%q: %v %v", given, matches, err)
			}
		}
		if needs, err := engine.NeedsRehash(hash); err != nil || needs {
			t.Error(needs, err)
		}
	}
	if needs, err := engine.NeedsRehash("{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="); err != nil || !needs {
		t.Error(needs, err)
	}
	if _, err := gatepost.VerifyPassword(password, "nonsense"); !errors.Is(err, gatepost.StatusUnsupported) {
		t.Error(err)
	}
	for _, bad := range []string{"", "a\x00b", strings.Repeat("a", 2000)} {
		if _, err := engine.HashPassword(bad); !errors.Is(err, gatepost.StatusInvalidArgument) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

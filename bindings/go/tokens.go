package gatepost

// #include "shim.h"
import "C"

import (
	"time"
)

// Verified is what the engine says of a token. It is the truth of the moment at which it was asked for, and no longer.
type Verified struct {
	// Good tells whether the token is good; Err says otherwise why not.
	Good bool
	// Status is the HTTP status that a request with it would get if nothing else were asked.
	Status int
	// Reason is why.
	Reason Reason
	// Detail is for the operator: what was seen and what was wanted; empty where it is good. Not for whoever sent it.
	Detail string
	// Subject is for whom it stands, and Issuer whose subject that is, empty for local users. Both are empty where it is
	// not good.
	Subject, Issuer string
	// Roles and Scopes are what it carries, or what the state gives a local user.
	Roles, Scopes []string
	// Claims are all claims as they were sent, a JSON object; empty where it is not good.
	Claims string
	// IssuerName is the policy's name of the issuer, where the signature and the claims are right.
	IssuerName string
	// TokenID and SessionID are jti and sid, likewise.
	TokenID, SessionID string
	// IssuedAt and ExpiresAt are iat, likewise, and exp, where it is good; zero: not said.
	IssuedAt, ExpiresAt time.Time
}

// Err is nil where the token is good, and otherwise a *Refusal.
func (v *Verified) Err() error {
	if v.Good {
		return nil
	}
	return &Refusal{Reason: v.Reason, Status: v.Status}
}

// VerifyToken verifies a token outside of any request, as a decision would: signature, times, audience, type, claims,
// revocation, and of a local user what the state says. No route is asked. A token that is bound to a key is refused,
// since only a request can show who holds it. token is the token alone, without "Bearer"; now is the time to verify it
// at, zero: the engine's clock. One that is not good is no error. It may read the disk.
func (e *Engine) VerifyToken(token string, now time.Time) (*Verified, error) {
	var p pins
	defer p.release()
	var v Verified
	err := e.call(func(engine *C.gatepost_engine) error {
		var object *C.gatepost_verified
		var fault *C.gatepost_error
		if status := C.gatepost_token_verify(engine, p.str(token), unix(now), &object, &fault); status != C.GATEPOST_OK {
			return failure(status, fault)
		}
		defer C.gatepost_verified_free(object)
		view := C.gatepost_token_view{struct_size: C.sizeof_gatepost_token_view}
		if status := C.gatepost_verified_view(object, &view); status != C.GATEPOST_OK {
			return failure(status, nil)
		}
		v = verified(&view)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &v, nil
}

func verified(view *C.gatepost_token_view) Verified {
	return Verified{
		Good:       view.action == C.GATEPOST_ALLOW,
		Status:     int(view.status),
		Reason:     Reason(view.reason),
		Detail:     text(view.detail),
		Subject:    text(view.subject),
		Issuer:     text(view.issuer),
		Roles:      split(text(view.roles), ','),
		Scopes:     split(text(view.scopes), ' '),
		Claims:     text(view.claims),
		IssuerName: text(view.issuer_name),
		TokenID:    text(view.token_id),
		SessionID:  text(view.session_id),
		IssuedAt:   moment(view.issued_at),
		ExpiresAt:  moment(view.expires_at),
	}
}

// Revocation says what is to be revoked: exactly one of Token, TokenID, SessionID, Subject and User.
type Revocation struct {
	// Token is a token. Its signature must be right; it may have expired.
	Token string
	// Issuer is whose TokenID, SessionID or Subject: the issuer's name in the policy, or its URL.
	Issuer string
	// TokenID is one token, by its jti.
	TokenID string
	// SessionID is the tokens of a session, by their sid.
	SessionID string
	// Subject is the tokens of a person that were issued before Before, and those that do not say when.
	Subject string
	// User is the same of a local user, by every issuer whose subjects are local users.
	User string
	// Before, with Subject and User; zero: all that were issued until now.
	Before time.Time
	// Until is by when all these tokens have expired, so that the entry may be forgotten; zero: not known, it is kept for
	// good. Not with Token, which says so itself.
	Until time.Time
}

// RevokeToken revokes tokens. When it returns nil the revocation is on the disk and holds for the next decision, in every
// process that shares the state. Doing it again is no error.
func (e *Engine) RevokeToken(revocation Revocation) error {
	var p pins
	defer p.release()
	raw := C.gatepost_revocation{
		struct_size: C.sizeof_gatepost_revocation,
		token:       p.str(revocation.Token),
		issuer:      p.str(revocation.Issuer),
		token_id:    p.str(revocation.TokenID),
		session_id:  p.str(revocation.SessionID),
		subject:     p.str(revocation.Subject),
		user:        p.str(revocation.User),
		before:      unix(revocation.Before),
		until:       unix(revocation.Until),
	}
	return e.setUp(func(engine *C.gatepost_engine, fault **C.gatepost_error) C.gatepost_status {
		return C.gatepost_token_revoke(engine, &raw, fault)
	})
}

// TokenRequest says what a token is to be. Strings are UTF-8 without control characters.
type TokenRequest struct {
	// Signer is the name of the [[signer]]; empty: the policy's only one.
	Signer string
	// User is the local user that the token is for.
	User string
	// ClientID is who asks for it (OAuth client_id); empty: nobody in particular.
	ClientID string
	// Session is the program's own name for the session (claim sid); empty: one is drawn where there is a refresh token.
	Session string
	// Claims are further claims as a JSON object, up to 4 KiB. What the signer writes itself may not be among them.
	Claims string
	// Scopes are the scopes.
	Scopes []string
	// Audience is some of the signer's audience; none: all of it.
	Audience []string
	// Factors are those by which the user proved who they are (claim amr, RFC 8176).
	Factors []string
	// Lifetime is how long it lasts, at most what the policy says; 0: that.
	Lifetime time.Duration
	// AuthenticatedAt is when the user proved who they are (claim auth_time); zero: not known.
	AuthenticatedAt time.Time
	// Now is when to issue it; zero: the engine's clock.
	Now time.Time
	// Refresh asks for a refresh token too. The signer must give such.
	Refresh bool
}

// Tokens are tokens just issued.
type Tokens struct {
	// AccessToken is a JWT as RFC 9068 has it.
	AccessToken string
	// RefreshToken is empty where there is none.
	RefreshToken string
	// Scope is the scopes of the access token, joined by a space.
	Scope string
	// User is the user, in the canonical spelling.
	User string
	// Session is the claim sid; empty: none.
	Session string
	// TokenID is the claim jti.
	TokenID string
	// JSON is the answer of an OAuth token endpoint (RFC 6749 section 5.1), to be sent with Cache-Control: no-store.
	JSON string
	// ExpiresIn is how long the access token lasts, and ExpiresAt when it ends.
	ExpiresIn time.Duration
	ExpiresAt time.Time
	// RefreshExpiresAt is the end of the last refresh token of this login; zero: there is none.
	RefreshExpiresAt time.Time
}

// IssueToken issues an access token for a local user and, with Refresh, a refresh token. Whether the user is who they say
// they are is the program's to have checked. It fails with StatusConflict where the user does not exist or is disabled,
// and with StatusInvalidArgument where something cannot be issued as it was asked for.
func (e *Engine) IssueToken(request TokenRequest) (*Tokens, error) {
	var p pins
	defer p.release()
	raw := C.gatepost_token_request{
		struct_size:      C.sizeof_gatepost_token_request,
		signer:           p.str(request.Signer),
		user:             p.str(request.User),
		client_id:        p.str(request.ClientID),
		session:          p.str(request.Session),
		claims:           p.str(request.Claims),
		lifetime:         C.int64_t(request.Lifetime / time.Second),
		authenticated_at: unix(request.AuthenticatedAt),
		now:              unix(request.Now),
	}
	raw.scopes, raw.scope_count = p.strs(request.Scopes)
	raw.audience, raw.audience_count = p.strs(request.Audience)
	raw.factors, raw.factor_count = p.strs(request.Factors)
	if request.Lifetime != 0 && raw.lifetime == 0 {
		return nil, &Error{Status: StatusInvalidArgument, Message: "a token lasts a whole number of seconds, at least one"}
	}
	if request.Refresh {
		raw.flags |= C.GATEPOST_TOKEN_REFRESH
	}
	return e.issue(func(engine *C.gatepost_engine, object **C.gatepost_tokens, fault **C.gatepost_error) C.gatepost_status {
		return C.gatepost_token_issue(engine, &raw, object, fault)
	})
}

// RefreshRequest is a refresh token that is handed in.
type RefreshRequest struct {
	// Token is the refresh token, as it was sent.
	Token string
	// ClientID is who hands it in: the ClientID that it was issued with.
	ClientID string
	// Scopes are fewer scopes than the login has; none: all of them.
	Scopes []string
	// Now is when; zero: the engine's clock.
	Now time.Time
}

// RefreshToken exchanges a refresh token for an access token and the next refresh token. Each is exchanged once; a used
// one that comes again ends its login, but for the policy's grace, in which it gets the same answer.
//
// It fails with StatusRefused where the token is unknown, expired, revoked, used before or another client's, which the
// client hears as invalid_grant, whichever it is; why is for the log.
func (e *Engine) RefreshToken(request RefreshRequest) (*Tokens, error) {
	var p pins
	defer p.release()
	raw := C.gatepost_refresh_request{
		struct_size: C.sizeof_gatepost_refresh_request,
		token:       p.str(request.Token),
		client_id:   p.str(request.ClientID),
		now:         unix(request.Now),
	}
	raw.scopes, raw.scope_count = p.strs(request.Scopes)
	return e.issue(func(engine *C.gatepost_engine, object **C.gatepost_tokens, fault **C.gatepost_error) C.gatepost_status {
		return C.gatepost_token_refresh(engine, &raw, object, fault)
	})
}

func (e *Engine) issue(ask func(*C.gatepost_engine, **C.gatepost_tokens, **C.gatepost_error) C.gatepost_status) (*Tokens, error) {
	var t Tokens
	err := e.call(func(engine *C.gatepost_engine) error {
		var object *C.gatepost_tokens
		var fault *C.gatepost_error
		if status := ask(engine, &object, &fault); status != C.GATEPOST_OK {
			return failure(status, fault)
		}
		defer C.gatepost_tokens_free(object)
		issued := C.gatepost_issued{struct_size: C.sizeof_gatepost_issued}
		if status := C.gatepost_tokens_view(object, &issued); status != C.GATEPOST_OK {
			return failure(status, nil)
		}
		t = tokens(&issued)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &t, nil
}

func tokens(issued *C.gatepost_issued) Tokens {
	return Tokens{
		AccessToken:      text(issued.access_token),
		RefreshToken:     text(issued.refresh_token),
		Scope:            text(issued.scope),
		User:             text(issued.user),
		Session:          text(issued.session),
		TokenID:          text(issued.token_id),
		JSON:             text(issued.json),
		ExpiresIn:        time.Duration(issued.expires_in) * time.Second,
		ExpiresAt:        moment(issued.expires_at),
		RefreshExpiresAt: moment(issued.refresh_expires_at),
	}
}

// unix is a time for the library; the zero time is its 0.
func unix(t time.Time) C.int64_t {
	if t.IsZero() {
		return 0
	}
	return C.int64_t(t.Unix())
}

// moment is a time of the library; its 0 is the zero time.
func moment(seconds C.int64_t) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0).UTC()
}

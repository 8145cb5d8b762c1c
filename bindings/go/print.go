//go:build cgo

package gatepost

import (
	"fmt"
	"log/slog"
	"strings"
)

// String says who it is, for logs: subject, issuer, scheme, roles and scopes. "nobody" where nobody was recognised.
func (i Identity) String() string {
	if _, ok := i.decision.Identity(); !ok {
		return "nobody"
	}
	said := fmt.Sprintf("%q", i.Subject())
	for _, part := range [...]struct{ name, value string }{
		{"of", i.Issuer()}, {"by", i.Scheme()}, {"roles", strings.Join(i.Roles(), ",")}, {"scopes", strings.Join(i.Scopes(), " ")},
	} {
		if part.value != "" {
			said += fmt.Sprintf(" %s %q", part.name, part.value)
		}
	}
	return said
}

// GoString is String: %#v prints no memory either.
func (i Identity) GoString() string { return i.String() }

// LogValue is String, for slog.
func (i Identity) LogValue() slog.Value { return slog.StringValue(i.String()) }

// String is action, status, reason, id and who it is, for logs; never header fields or body.
func (d *Decision) String() string {
	return fmt.Sprintf("%s %d %s (id %s) %s", d.Action(), d.Status(), d.Reason(), d.ID(), Identity{d})
}

// Format prints String, whatever the verb: what lies in memory holds header fields and body.
func (d *Decision) Format(state fmt.State, _ rune) { _, _ = state.Write([]byte(d.String())) }

// LogValue is String, for slog.
func (d *Decision) LogValue() slog.Value { return slog.StringValue(d.String()) }

// String tells for whom it is, never the tokens.
func (t Tokens) String() string {
	return fmt.Sprintf("tokens of %q (id %s, session %s)", t.User, t.TokenID, t.Session)
}

// GoString is String.
func (t Tokens) GoString() string { return t.String() }

// LogValue is String, for slog.
func (t Tokens) LogValue() slog.Value { return slog.StringValue(t.String()) }

// String tells who hands it in, never the token.
func (r RefreshRequest) String() string { return fmt.Sprintf("refresh token of client %q", r.ClientID) }

// GoString is String.
func (r RefreshRequest) GoString() string { return r.String() }

// LogValue is String, for slog.
func (r RefreshRequest) LogValue() slog.Value { return slog.StringValue(r.String()) }

// String tells what is revoked, never the token.
func (r Revocation) String() string {
	if r.Token != "" {
		return "revocation of a token"
	}
	return fmt.Sprintf("revocation: issuer %q, token id %q, session %q, subject %q, user %q", r.Issuer, r.TokenID, r.SessionID, r.Subject, r.User)
}

// GoString is String.
func (r Revocation) GoString() string { return r.String() }

// LogValue is String, for slog.
func (r Revocation) LogValue() slog.Value { return slog.StringValue(r.String()) }

// String is method, path and peer, never query, header fields or body.
func (r Request) String() string {
	path, _, _ := strings.Cut(r.Target, "?")
	return fmt.Sprintf("%s %q from %q", r.Method, path, r.Peer)
}

// GoString is String.
func (r Request) GoString() string { return r.String() }

// LogValue is String, for slog.
func (r Request) LogValue() slog.Value { return slog.StringValue(r.String()) }

// String is the name of the severity, as in the events.
func (s Severity) String() string {
	switch s {
	case Info:
		return "info"
	case Notice:
		return "notice"
	case Warning:
		return "warning"
	}
	return "error"
}

//go:build cgo

package gatepost

import (
	"context"
	"strings"
)

// Identity is who a request comes from. It is a view of its decision and costs nothing to hand about; its zero is nobody.
type Identity struct {
	decision *Decision
}

// Subject is who it is. Issuer and subject are the person, never the subject alone.
func (i Identity) Subject() string { return i.decision.Subject() }

// Issuer is whose subject it is; empty for local users.
func (i Identity) Issuer() string { return i.decision.Issuer() }

// Scheme is how it was proved: "basic", "bearer", "api-key", "client-cert".
func (i Identity) Scheme() string { return i.decision.Scheme() }

// Roles are the roles.
func (i Identity) Roles() []string { return i.decision.Roles() }

// Scopes are the scopes of what was used to log in.
func (i Identity) Scopes() []string { return i.decision.Scopes() }

// HasRole tells whether this role is among the roles.
func (i Identity) HasRole(role string) bool { return has(i.decision.said().string(roles), ',', role) }

// HasScope tells whether this scope is among the scopes.
func (i Identity) HasScope(scope string) bool {
	return has(i.decision.said().string(scopes), ' ', scope)
}

// decided is a context that holds a decision.
type decided struct {
	context.Context
	decision *Decision
	engine   *core
}

type decisionKey struct{}

func (c *decided) Value(key any) any {
	if key == (decisionKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// FromContext is who the request comes from, for handlers behind Middleware and Admit; ok is false where nobody was
// recognised, as on a public route, and for a context that no engine has seen.
func FromContext(ctx context.Context) (identity Identity, ok bool) {
	if decision := DecisionFromContext(ctx); decision != nil {
		return decision.Identity()
	}
	return Identity{}, false
}

// DecisionFromContext is the decision that let the request in; nil for a context that no engine has seen.
func DecisionFromContext(ctx context.Context) *Decision {
	if held, ok := ctx.Value(decisionKey{}).(*decided); ok {
		return held.decision
	}
	return nil
}

// split takes a list apart whose parts are percent-encoded.
func split(list string, separator byte) []string {
	if list == "" {
		return nil
	}
	parts := strings.Split(list, string(separator))
	for i := range parts {
		parts[i] = decoded(parts[i])
	}
	return parts
}

func has(list string, separator byte, wanted string) bool {
	for list != "" {
		part, rest, _ := strings.Cut(list, string(separator))
		if decoded(part) == wanted {
			return true
		}
		list = rest
	}
	return false
}

// decoded takes percent-encoding away.
func decoded(part string) string {
	if !strings.Contains(part, "%") {
		return part
	}
	var out strings.Builder
	for i := 0; i < len(part); i++ {
		if part[i] == '%' && i+2 < len(part) {
			high, low := digit(part[i+1]), digit(part[i+2])
			if high >= 0 && low >= 0 {
				out.WriteByte(byte(high<<4 | low))
				i += 2
				continue
			}
		}
		out.WriteByte(part[i])
	}
	return out.String()
}

func digit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}

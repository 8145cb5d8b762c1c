//go:build cgo

package gatepost

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
)

// RequireRole lets through who has this role, or one of the others, and answers all others with 403, ReasonRoleMissing.
// Roles count with all that they include. It stands behind Middleware or Admit, around a handler or as a middleware of a
// router; several of them one in another ask for all:
//
//	mux.Handle("/reports", gatepost.RequireRole("auditor", "admin")(reports))
//
// What can stand in the policy is better there: `require` of a route also knows permissions, networks and times, and its
// refusals are among the events. This one's are a line in Options.Logger with the decision's id, level Info.
//
// Where no engine has seen the request the answer is 500, and a line at level Error: nobody is let in. Where nobody was
// recognised, as always on a public route, it is 403.
func RequireRole(role string, or ...string) func(http.Handler) http.Handler {
	return guard(ReasonRoleMissing, Identity.HasRole, append([]string{role}, or...))
}

// RequireScope is RequireRole for scopes: ReasonScopeMissing.
func RequireScope(scope string, or ...string) func(http.Handler) http.Handler {
	return guard(ReasonScopeMissing, Identity.HasScope, append([]string{scope}, or...))
}

// Require lets through whom allowed says yes to, and answers all others with 403, ReasonRequirementUnmet; otherwise as
// RequireRole. allowed is asked only where somebody was recognised:
//
//	owner := gatepost.Require(func(who gatepost.Identity, r *http.Request) bool { return who.Subject() == r.PathValue("name") })
func Require(allowed func(who Identity, r *http.Request) bool) func(http.Handler) http.Handler {
	return guarded(ReasonRequirementUnmet, nil, allowed)
}

func guard(reason Reason, has func(Identity, string) bool, wanted []string) func(http.Handler) http.Handler {
	return guarded(reason, wanted, func(who Identity, _ *http.Request) bool {
		for _, one := range wanted {
			if has(who, one) {
				return true
			}
		}
		return false
	})
}

func guarded(reason Reason, wanted []string, allowed func(Identity, *http.Request) bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			held, seen := r.Context().Value(decisionKey{}).(*decided)
			if !seen {
				slog.Default().ErrorContext(r.Context(), "gatepost: a requirement stands where no engine has seen the request, "+
					"so it is refused; put Middleware or Admit outside of it", "method", r.Method)
				refuse(w, r, ReasonInternal, "")
				return
			}
			who, recognised := held.decision.Identity()
			if recognised && allowed(who, r) {
				next.ServeHTTP(w, r)
				return
			}
			held.engine.logger().InfoContext(r.Context(), "gatepost: refused behind the middleware", "id", held.decision.ID(),
				"reason", reason.String(), slog.String("wanted", strings.Join(wanted, " or ")), "who", who)
			if reason == ReasonScopeMissing && recognised {
				challenge(w.Header(), r, wanted)
			}
			refuse(w, r, reason, held.decision.ID())
		})
	}
}

// challenge says which scopes another token would need (RFC 6750 section 3.1), where the request came with such a token.
func challenge(header http.Header, r *http.Request, scopes []string) {
	const scheme = "Bearer "
	sent, wanted := r.Header.Get("Authorization"), strings.Join(scopes, " ")
	outside := func(c rune) bool { return c < ' ' || c > '~' || c == '"' || c == '\\' }
	if len(sent) > len(scheme) && strings.EqualFold(sent[:len(scheme)], scheme) && !strings.ContainsFunc(wanted, outside) {
		header.Add("WWW-Authenticate", scheme+`error="insufficient_scope", scope="`+wanted+`"`)
	}
}

// problem has the members that the engine writes, in its order (RFC 9457).
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Reason string `json:"reason"`
	ID     string `json:"id,omitempty"`
}

// refuse answers as the engine answers a program.
func refuse(w http.ResponseWriter, r *http.Request, reason Reason, id string) {
	status := reason.Status()
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	// Numbers and strings, into memory: it cannot fail.
	_ = encoder.Encode(problem{"about:blank", http.StatusText(status), status, reason.Text(Person), reason.String(), id})
	header := w.Header()
	for name, value := range map[string]string{
		"Cache-Control": "no-store", "Content-Type": "application/problem+json", "Content-Language": "en", "X-Content-Type-Options": "nosniff",
	} {
		header.Set(name, value)
	}
	header.Del("Content-Encoding")
	if r.Method == http.MethodHead {
		w.WriteHeader(status)
		return
	}
	header.Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(status)
	// The client may have gone; there is nobody to tell.
	_, _ = w.Write(body.Bytes())
}

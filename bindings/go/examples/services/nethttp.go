// Package services is one service on three routers: each with Gatepost around it and the identity in its handlers.
package services

import (
	"encoding/json"
	"net/http"

	"gatepost.invalid/gatepost"
)

// Order is what the service hands out.
type Order struct {
	ID   string   `json:"id"`
	For  string   `json:"for"`
	As   []string `json:"as"`
	Edit bool     `json:"edit"`
}

// order is the order with that number, as the one who asks may see it.
func order(r *http.Request, id string) Order {
	who, _ := gatepost.FromContext(r.Context())
	return Order{ID: id, For: who.Subject(), As: who.Roles(), Edit: who.HasRole("admin")}
}

// stock is for administrators alone, which each router asks for itself: the policy lets in whoever is recognised.
func stock(w http.ResponseWriter, _ *http.Request) { answer(w, "all of it") }

func answer(w http.ResponseWriter, content any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(content)
}

// NetHTTP is the service on the standard library's router.
func NetHTTP(engine *gatepost.Engine) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { answer(w, "ok") })
	mux.HandleFunc("GET /orders/{id}", func(w http.ResponseWriter, r *http.Request) { answer(w, order(r, r.PathValue("id"))) })
	mux.HandleFunc("DELETE /orders/{id}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.Handle("GET /stock", gatepost.RequireRole("admin")(http.HandlerFunc(stock)))
	mux.Handle("GET /metrics", engine.MetricsHandler())
	return engine.Middleware(mux)
}

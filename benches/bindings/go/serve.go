package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"

	"gatepost.invalid/gatepost"
)

// serve runs one service twice, with the middleware and without it, and prints both addresses. It ends with its input.
func serve(policy string) {
	engine := must(gatepost.Open(policy, nil))
	defer engine.Close()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		who, _ := gatepost.FromContext(r.Context())
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"id": r.PathValue("id"), "for": who.Subject(), "lines": []string{"tea", "cups", "kettle"}})
	})
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	for _, handler := range []http.Handler{mux, engine.Middleware(mux)} {
		listener := must(net.Listen("tcp", "127.0.0.1:0"))
		go func() { _ = http.Serve(listener, handler) }()
		fmt.Println(listener.Addr())
	}
	_, _ = os.Stdin.Read(make([]byte, 1))
}

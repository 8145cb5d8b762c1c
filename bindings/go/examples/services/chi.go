package services

import (
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"gatepost.invalid/gatepost"
)

// Chi is the service on chi. Gatepost comes before what changes the request, like middleware.RealIP: it finds the client
// behind trusted proxies by itself.
func Chi(engine *gatepost.Engine) http.Handler {
	router := chi.NewRouter()
	router.Use(engine.Middleware)
	router.Use(middleware.Recoverer)
	router.Get("/health", func(w http.ResponseWriter, _ *http.Request) { answer(w, "ok") })
	router.Route("/orders/{id}", func(one chi.Router) {
		one.Get("/", func(w http.ResponseWriter, r *http.Request) { answer(w, order(r, chi.URLParam(r, "id"))) })
		one.Delete("/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	})
	router.With(gatepost.RequireRole("admin")).Get("/stock", stock)
	router.Method(http.MethodGet, "/metrics", engine.MetricsHandler())
	return router
}

package gatepost

// #include "shim.h"
import "C"

import (
	"io"
	"net/http"
)

// Metrics are the counters of this process as OpenMetrics text: decisions by reason, scheme and route, passwords being
// checked, events, reloads. They only ever grow, also over a reload; no client can make up new ones.
func (e *Engine) Metrics() (metrics string, err error) {
	err = e.call(func(engine *C.gatepost_engine) error {
		var bytes *C.gatepost_bytes
		if status := C.gatepost_engine_metrics(engine, &bytes); status != C.GATEPOST_OK {
			return failure(status, nil)
		}
		metrics = taken(bytes)
		return nil
	})
	return metrics, err
}

// MetricsHandler answers GET and HEAD with Metrics, for Prometheus and its like. Who may read it is the program's to say,
// for example by a route of the policy.
func (e *Engine) MetricsHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
			return
		}
		metrics, err := e.Metrics()
		if err != nil {
			e.opened().fail(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = io.WriteString(w, metrics)
	})
}

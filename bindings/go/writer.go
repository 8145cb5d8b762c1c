//go:build cgo

package gatepost

import (
	"bufio"
	"io"
	"net"
	"net/http"
)

// lateWriter applies the decision's fields for the answer when the handler's own are complete, so that what must be set
// is set and what must be added is added.
type lateWriter struct {
	http.ResponseWriter
	response *fields
	begun    bool
}

// begin is called before the head of the answer leaves.
func (w *lateWriter) begin() {
	if !w.begun {
		w.begun = true
		w.response.apply(w.Header(), make([]string, w.response.values))
	}
}

func (w *lateWriter) WriteHeader(status int) {
	// After an interim answer another one follows.
	if status >= 200 || status == http.StatusSwitchingProtocols {
		w.begin()
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *lateWriter) Write(body []byte) (int, error) {
	w.begin()
	return w.ResponseWriter.Write(body)
}

func (w *lateWriter) WriteString(body string) (int, error) {
	w.begin()
	return io.WriteString(w.ResponseWriter, body)
}

// FlushError is what http.ResponseController asks for first; without it, it would go past this writer.
func (w *lateWriter) FlushError() error {
	w.begin()
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap is for http.ResponseController.
func (w *lateWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

type lateFlusher struct{ *lateWriter }

func (w lateFlusher) Flush() {
	w.begin()
	w.ResponseWriter.(http.Flusher).Flush()
}

type lateHijacker struct{ *lateWriter }

func (w lateHijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return w.ResponseWriter.(http.Hijacker).Hijack()
}

type latePusher struct{ *lateWriter }

func (w latePusher) Push(target string, options *http.PushOptions) error {
	return w.ResponseWriter.(http.Pusher).Push(target, options)
}

type lateReader struct{ *lateWriter }

func (w lateReader) ReadFrom(source io.Reader) (int64, error) {
	w.begin()
	return w.ResponseWriter.(io.ReaderFrom).ReadFrom(source)
}

// notifier is http.CloseNotifier, which is deprecated, and without which gin's Context.Stream panics.
type notifier interface{ CloseNotify() <-chan bool }

// dressed is the writer with the optional interfaces that the server's has, of those that net/http knows: its servers
// have these sets of them, and others all the same find each through http.ResponseController.
func (w *lateWriter) dressed() http.ResponseWriter {
	_, flushes := w.ResponseWriter.(http.Flusher)
	_, hijacks := w.ResponseWriter.(http.Hijacker)
	_, pushes := w.ResponseWriter.(http.Pusher)
	_, reads := w.ResponseWriter.(io.ReaderFrom)
	notifies, _ := w.ResponseWriter.(notifier)
	switch {
	case flushes && hijacks && reads && notifies != nil:
		return struct {
			*lateWriter
			http.Flusher
			http.Hijacker
			io.ReaderFrom
			notifier
		}{w, lateFlusher{w}, lateHijacker{w}, lateReader{w}, notifies}
	case flushes && hijacks && reads:
		return struct {
			*lateWriter
			http.Flusher
			http.Hijacker
			io.ReaderFrom
		}{w, lateFlusher{w}, lateHijacker{w}, lateReader{w}}
	case flushes && hijacks && notifies != nil:
		return struct {
			*lateWriter
			http.Flusher
			http.Hijacker
			notifier
		}{w, lateFlusher{w}, lateHijacker{w}, notifies}
	case flushes && hijacks:
		return struct {
			*lateWriter
			http.Flusher
			http.Hijacker
		}{w, lateFlusher{w}, lateHijacker{w}}
	case flushes && pushes && notifies != nil:
		return struct {
			*lateWriter
			http.Flusher
			http.Pusher
			notifier
		}{w, lateFlusher{w}, latePusher{w}, notifies}
	case flushes && pushes:
		return struct {
			*lateWriter
			http.Flusher
			http.Pusher
		}{w, lateFlusher{w}, latePusher{w}}
	case flushes:
		return struct {
			*lateWriter
			http.Flusher
		}{w, lateFlusher{w}}
	}
	return w
}

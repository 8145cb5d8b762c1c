// Package gatepost decides for HTTP requests: let in, 401 or 403, and why.
//
// It is the Gatepost engine in a Go program: passwords, bearer tokens, API keys and client certificates, throttled
// guessing, and a policy file that says who may do what.
//
//	engine, err := gatepost.Open("orders.toml", nil)
//	if err != nil {
//		log.Fatal(err)
//	}
//	defer engine.Close()
//	http.ListenAndServe(":8080", engine.Middleware(mux))
//
// Behind the middleware, FromContext says who a request comes from. For servers that are not net/http there is
// DecideRequest, and for frameworks with another shape of middleware Admit.
//
// One decision is one crossing into the library; a password that must be hashed, state that must be read and a long answer
// take further ones. No pointer of Go's stays there. What a program may rely on otherwise stands in docs/EMBEDDING.md.
package gatepost

// Orders is a whole service with Gatepost around it.
//
//	orders [-policy orders.toml] [-listen 127.0.0.1:8080] [-router net/http|chi|gin]
//
// SIGHUP reads the policy again; SIGINT and SIGTERM end it once the requests under way have their answers.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"gatepost.invalid/examples/services"
	"gatepost.invalid/gatepost"
)

func main() {
	policy := flag.String("policy", "orders.toml", "the policy file")
	listen := flag.String("listen", "127.0.0.1:8080", "where to listen")
	router := flag.String("router", "net/http", "net/http, chi or gin")
	flag.Parse()
	if err := run(*policy, *listen, *router); err != nil {
		log.Fatal(err)
	}
}

func run(policy, listen, router string) error {
	service, ok := map[string]func(*gatepost.Engine) http.Handler{
		"net/http": services.NetHTTP, "chi": services.Chi, "gin": services.Gin,
	}[router]
	if !ok {
		return errors.New("orders: there is no router " + router)
	}
	engine, err := gatepost.Open(policy, nil)
	if err != nil {
		return err
	}
	defer engine.Close()

	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: service(engine), ReadHeaderTimeout: 10 * time.Second}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		for got := range signals {
			if got != syscall.SIGHUP {
				_ = server.Shutdown(context.Background())
				return
			}
			if err := engine.Reload(); err != nil {
				log.Print("the old policy stays: ", err)
			} else {
				log.Print("policy ", engine.Generation(), " is in force")
			}
		}
	}()
	log.Print("listening on http://", listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

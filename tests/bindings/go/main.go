// Cases decides the requests of case files through the Go module, for `gatepost test --through`.
//
//	cases [--jobs] POLICY
//
// The clock comes with each request; with --jobs it is a callback, and events are heard: the way of an engine that calls
// back into Go. Slow work is a job in both.
package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"time"

	"gatepost.invalid/gatepost"
)

// program is the engine under test and what the runner has set.
type program struct {
	exchange
	engine   *gatepost.Engine
	policy   string
	callback bool
	at       time.Time // zero: the real time
	events   int
}

func main() {
	arguments := os.Args[1:]
	p := &program{exchange: exchange{bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)}}
	if len(arguments) == 2 && arguments[0] == "--jobs" {
		p.callback, arguments = true, arguments[1:]
	}
	if len(arguments) != 1 {
		os.Stderr.WriteString("usage: cases [--jobs] POLICY\n")
		os.Exit(1)
	}
	p.policy = arguments[0]
	err := p.run()
	if err != nil && err != errSaid {
		os.Stderr.WriteString("cases: " + err.Error() + "\n")
	}
	if err != nil {
		os.Exit(1)
	}
}

// errSaid is an error that the runner has heard.
var errSaid = errors.New("said already")

func (p *program) run() error {
	// The runner moves the clock by what it sends, and nothing must happen beside that.
	options := &gatepost.Options{NoHousekeeping: true}
	if p.callback {
		options.Clock = p.now
		options.OnEvent = func(context.Context, gatepost.Event) { p.events++ }
	}
	engine, err := gatepost.Open(p.policy, options)
	if err != nil {
		p.say("error", err.Error())
		_ = p.end()
		return errSaid
	}
	defer engine.Close()
	p.engine = engine
	p.say("ready")
	for {
		if err := p.end(); err != nil {
			return err
		}
		asked, fault, err := p.hear()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if fault == nil {
			fault = p.answer(asked)
		}
		if fault != nil {
			p.say("error", fault.Error())
		}
	}
}

func (p *program) now() time.Time {
	if p.at.IsZero() {
		return time.Now()
	}
	return p.at
}

func (p *program) answer(asked []line) error {
	switch {
	case len(asked) > 0 && asked[0].says("decide", 1):
		return p.decide(asked[1:])
	case len(asked) == 1 && asked[0].says("reload", 2):
		return p.reload(asked[0][1])
	}
	return errors.New("neither decide nor reload")
}

func (p *program) decide(asked []line) error {
	request := &gatepost.Request{BodyComplete: true}
	for _, line := range asked {
		if !p.take(request, line) {
			return errors.New("a line of this request cannot be read")
		}
	}
	if !p.callback {
		request.Now = p.at
	}
	before := p.events
	d, err := p.engine.DecideRequest(request)
	if err != nil {
		return err
	}
	if p.callback && d.Action() == gatepost.Deny && p.events == before {
		return errors.New("a refusal without an event")
	}
	p.say("action", d.Action().String())
	p.say("status", strconv.Itoa(d.Status()))
	p.say("reason", d.Reason().String())
	if d.Subject() != "" {
		p.say("subject", d.Subject())
	}
	if d.Scheme() != "" {
		p.say("scheme", d.Scheme())
	}
	for _, header := range d.ResponseHeaders() {
		p.say("response", header.Mode.String(), header.Name, header.Value)
	}
	for _, header := range d.UpstreamHeaders() {
		p.say("upstream", header.Mode.String(), header.Name, header.Value)
	}
	for _, name := range d.Strip() {
		p.say("strip", name)
	}
	p.say("body", d.Body())
	return nil
}

// take puts one line of a request where it belongs.
func (p *program) take(request *gatepost.Request, line line) bool {
	places := map[string]*string{
		"method": &request.Method, "target": &request.Target, "host": &request.Host, "peer": &request.Peer, "id": &request.ID,
	}
	switch place := places[line[0]]; {
	case place != nil && len(line) == 2:
		*place = line[1]
	case line.says("cert", 2):
		request.ClientCert = []byte(line[1])
	case line.says("body", 2):
		request.Body = []byte(line[1])
	case line.says("tls", 1):
		request.TLS = true
	case line.says("cert-verified", 1):
		request.CertVerified = true
	case line.says("header", 3):
		request.Header = append(request.Header, gatepost.Field{Name: line[1], Value: line[2]})
	case line.says("at", 2):
		seconds, err := strconv.ParseInt(line[1], 10, 64)
		if err != nil {
			return false
		}
		p.at = time.Unix(seconds, 0)
	default:
		return false
	}
	return true
}

// reload puts the policy where the engine reads it again.
func (p *program) reload(from string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if from != p.policy {
		if err := os.WriteFile(p.policy, text, 0o600); err != nil {
			return err
		}
	}
	if err := p.engine.Reload(); err != nil {
		return err
	}
	p.say("ok")
	return nil
}

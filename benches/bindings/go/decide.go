package main

// #cgo CFLAGS: -I${SRCDIR}/../../../include -O2
// #include "direct.h"
// #include <stdlib.h>
import "C"

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"time"
	"unsafe"

	"gatepost.invalid/gatepost"
)

// What a browser or a client library sends besides, as benches/decide.c has it.
var usual = []gatepost.Field{
	{Name: "Host", Value: "orders.example.com"},
	{Name: "User-Agent", Value: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"},
	{Name: "Accept", Value: "application/json"},
	{Name: "Accept-Language", Value: "en-GB,en;q=0.7,de;q=0.3"},
	{Name: "Accept-Encoding", Value: "gzip, deflate, br"},
	{Name: "Connection", Value: "keep-alive"},
	{Name: "Referer", Value: "https://orders.example.com/orders"},
	{Name: "Sec-Fetch-Site", Value: "same-origin"},
}

// rita:four cups of green tea each noon
const basic = "Basic cml0YTpmb3VyIGN1cHMgb2YgZ3JlZW4gdGVhIGVhY2ggbm9vbg=="

// open opens an engine in Go and another one for C alone, which is never ended.
func open(policy string) (*gatepost.Engine, unsafe.Pointer) {
	engine := must(gatepost.Open(policy, nil))
	path := C.CString(policy)
	defer C.free(unsafe.Pointer(path))
	direct := C.direct_open(path)
	if direct == nil {
		fail("C alone cannot open " + policy)
	}
	return engine, direct
}

func decide(policy, token, key string, lines bool) {
	engine, direct := open(policy)
	defer engine.Close()
	if !lines {
		fmt.Printf("%-10s %8s %22s %22s\n", "ns", "C alone", "DecideRequest", "Decide(*http.Request)")
	}
	for _, c := range []struct {
		name, target, field, value string
		status                     int
	}{
		{"public", "/health", "", "", 200},
		{"anonymous", "/catalogue/tea?page=2", "", "", 200},
		{"basic", "/orders/7?page=2", "Authorization", basic, 200},
		{"api-key", "/orders/7?page=2", "X-Api-Key", key, 200},
		{"hs256", "/orders/7?page=2", "Authorization", "Bearer " + token, 200},
		{"refused", "/orders/7?page=2", "", "", 401},
		{"unknown", "/nowhere", "", "", 403},
	} {
		fields := usual
		if c.field != "" {
			fields = append(fields[:len(fields):len(fields)], gatepost.Field{Name: c.field, Value: c.value})
		}
		raw := &gatepost.Request{Method: "GET", Target: c.target, Host: "orders.example.com", Peer: "192.0.2.7:4711", TLS: true, BodyComplete: true, Header: fields}
		request := &http.Request{
			Method: "GET", RequestURI: c.target, URL: must(url.ParseRequestURI(c.target)), Host: "orders.example.com",
			RemoteAddr: "192.0.2.7:4711", TLS: &tls.ConnectionState{}, Header: http.Header{}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		}
		for _, field := range fields[1:] {
			request.Header.Add(field.Name, field.Value)
		}
		target := C.CString(c.target)
		var list []*C.char
		for _, field := range fields {
			list = append(list, C.CString(field.Name), C.CString(field.Value))
		}
		lent := (*[64]*C.char)(C.malloc(64 * C.size_t(unsafe.Sizeof(list[0]))))
		copy(lent[:], list)
		byC := func(times int) float64 {
			return float64(C.direct_decide(direct, target, &lent[0], C.int(len(fields)), C.int(times), C.uint32_t(c.status)))
		}
		byGo := func(times int, ask func() (*gatepost.Decision, error)) float64 {
			begun := time.Now()
			for range times {
				if d, err := ask(); err != nil || d.Status() != c.status {
					fail(fmt.Sprint(c.name, ": ", err, d))
				}
			}
			return float64(time.Since(begun).Nanoseconds()) / float64(times)
		}
		byRequest := func(times int) float64 {
			return byGo(times, func() (*gatepost.Decision, error) { return engine.DecideRequest(raw) })
		}
		byHTTP := func(times int) float64 {
			return byGo(times, func() (*gatepost.Decision, error) { return engine.Decide(request) })
		}
		byHTTP(10)
		byRequest(10)
		var ofC, ofRequest, ofHTTP []float64
		for range turns(3001) {
			times := 40
			took := byC(times)
			if took < 0 {
				fail(c.name + " is decided in another way by C alone")
			}
			ofC = append(ofC, took)
			ofRequest = append(ofRequest, byRequest(times))
			ofHTTP = append(ofHTTP, byHTTP(times))
		}
		if lines {
			fmt.Printf("go\t%s\t%.0f\ngo, net/http\t%s\t%.0f\n", c.name, quick(ofRequest), c.name, quick(ofHTTP))
			continue
		}
		floor := quick(ofC)
		fmt.Printf("%-10s %8.0f %13.0f (%+5.0f) %13.0f (%+5.0f)\n", c.name, floor,
			quick(ofRequest), quick(ofRequest)-floor, quick(ofHTTP), quick(ofHTTP)-floor)
	}
}

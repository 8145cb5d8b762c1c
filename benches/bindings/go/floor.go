package main

// #cgo noescape floor_empty
// #cgo nocallback floor_empty
// #cgo noescape floor_ready
// #cgo nocallback floor_ready
// #cgo noescape floor_answered
// #cgo nocallback floor_answered
// #cgo noescape floor_lent
// #cgo nocallback floor_lent
// #cgo noescape floor_lent_decided
// #cgo nocallback floor_lent_decided
// #include "floor.h"
// #include <stdlib.h>
import "C"

import (
	"fmt"
	"time"
	"unsafe"

	"gatepost.invalid/gatepost"
)

// block is the least that a decision leaves with the program: its numbers and its text, in memory of the program's.
type block struct {
	flat C.gatepost_flat
	text string
}

var (
	kept    *block
	keptID  string
	ignored uint32
)

// floor measures, step by step, what a decision by one call into C costs at least, whoever makes the call.
func floor(policy, where string, status int, further ...string) {
	engine, direct := open(policy)
	defer engine.Close()
	target := C.CString(where)
	fields := (*[64]*C.char)(C.malloc(64 * C.size_t(unsafe.Sizeof(target))))
	var p [2 * C.FLOOR_FIELDS]*C.char
	var lengths [2 * C.FLOOR_FIELDS]C.uint32_t
	list := usual
	if len(further) == 2 {
		list = append(list[:len(list):len(list)], gatepost.Field{Name: further[0], Value: further[1]})
	}
	strings := []string{"GET", where, "orders.example.com", "192.0.2.7:4711"}
	for i, field := range list {
		fields[2*i], fields[2*i+1] = C.CString(field.Name), C.CString(field.Value)
		strings = append(strings, field.Name, field.Value)
	}
	C.floor_prepare(direct, target, &fields[0], C.int(len(list)))
	lend := func() {
		for i, s := range strings {
			p[i], lengths[i] = (*C.char)(unsafe.Pointer(unsafe.StringData(s))), C.uint32_t(len(s))
		}
	}
	request := &gatepost.Request{Method: "GET", Target: where, Host: "orders.example.com", Peer: "192.0.2.7:4711", TLS: true, BodyComplete: true, Header: list}
	answer := new(C.floor_answer)
	number := C.uintptr_t(uintptr(direct))
	id := func() string {
		text := unsafe.Slice((*byte)(unsafe.Pointer(&answer.text)), int(answer.flat.size-answer.flat.head))
		return string(text[len(text)-int(answer.flat.id):])
	}
	steps := []struct {
		name string
		once func()
	}{
		{"an empty call", func() { C.floor_empty_plain() }},
		{"an empty call that promises noescape and nocallback", func() { C.floor_empty() }},
		{"a call with the strings of a request as arguments", func() {
			lend()
			ignored += uint32(C.floor_lent(&lengths[0], p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9],
				p[10], p[11], p[12], p[13], p[14], p[15], p[16], p[17], p[18], p[19], p[20], p[21]))
		}},
		{"a call that decides a request ready in C, and answers the status", func() { ignored += uint32(C.floor_ready()) }},
		{"the same, decided into memory of Go's, reason and id read", func() {
			ignored += uint32(C.floor_answered(answer)) + uint32(answer.flat.reason)
			keptID = id()
		}},
		{"the same, with all of the decision in memory of its own", func() {
			ignored += uint32(C.floor_answered(answer))
			text := unsafe.Slice((*byte)(unsafe.Pointer(&answer.text)), int(answer.flat.size-answer.flat.head))
			kept = &block{answer.flat, string(text)}
		}},
		{"the strings handed over, reason and id read", func() {
			lend()
			ignored += uint32(C.floor_lent_decided(number, &lengths[0], answer, p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9],
				p[10], p[11], p[12], p[13], p[14], p[15], p[16], p[17], p[18], p[19], p[20], p[21])) + uint32(answer.flat.reason)
			keptID = id()
		}},
		{"Engine.DecideRequest", func() {
			d, err := engine.DecideRequest(request)
			if err != nil {
				fail(err)
			}
			ignored += uint32(d.Reason())
			keptID = d.ID()
		}},
	}
	took := make([][]float64, len(steps)+2)
	for range turns(2001) {
		const times = 40
		took[0] = append(took[0], float64(C.direct_decide(direct, target, &fields[0], C.int(len(list)), times, C.uint32_t(status))))
		took[1] = append(took[1], float64(C.floor_loop(times)))
		for i, step := range steps {
			begun := time.Now()
			for range times {
				step.once()
			}
			took[i+2] = append(took[i+2], float64(time.Since(begun).Nanoseconds())/times)
		}
	}
	names := []string{"C alone: gatepost_decide, its view and its end", "C alone: gatepost_decide_flat"}
	for _, step := range steps {
		names = append(names, step.name)
	}
	fmt.Printf("%-70s %8s %8s\n", "ns", "least", "a tenth")
	for i, name := range names {
		q := quick(took[i])
		fmt.Printf("%-70s %8.0f %8.0f\n", name, took[i][0], q)
	}
}

package gatepost

// #include "shim.h"
import "C"

import (
	"runtime"
	"unsafe"
)

// pins lends strings of Go's to one call of the library, which keeps none of them.
type pins struct {
	runtime.Pinner
}

func (p *pins) release() { p.Unpin() }

// str lends a string.
func (p *pins) str(s string) C.gatepost_str {
	if s == "" {
		return C.gatepost_str{}
	}
	data := unsafe.StringData(s)
	p.Pin(data)
	return C.gatepost_str{ptr: (*C.char)(unsafe.Pointer(data)), len: C.size_t(len(s))}
}

// strs lends a list of strings.
func (p *pins) strs(list []string) (*C.gatepost_str, C.size_t) {
	if len(list) == 0 {
		return nil, 0
	}
	lent := make([]C.gatepost_str, len(list))
	for i, s := range list {
		lent[i] = p.str(s)
	}
	p.Pin(&lent[0])
	return &lent[0], C.size_t(len(lent))
}

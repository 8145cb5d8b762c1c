//go:build !cgo

// Package gatepost needs cgo.
package gatepost

// The engine is a C library. Set CGO_ENABLED=1 and have a C compiler.
var _ = gatepost_needs_cgo__set_CGO_ENABLED_1_and_install_a_C_compiler

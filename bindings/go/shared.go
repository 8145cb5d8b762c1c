//go:build gatepost_shared

package gatepost

// #cgo pkg-config: gatepost
import "C"

//go:build gatepost_shared

package gatepost

// #cgo pkg-config: gatepost
import "C"

const (
	whichLibrary   = "shared library"
	otherInterface = "install libgatepost.so.%d, or build the program again"
	olderLibrary   = "install Gatepost %s or newer, or build the program with the older header"
)

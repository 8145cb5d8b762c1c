//go:build !gatepost_shared

package gatepost

// #cgo CFLAGS: -I${SRCDIR}/include
// #cgo LDFLAGS: ${SRCDIR}/lib/linux_arm64/libgatepost.a -lm -lpthread -ldl -lgcc_s
import "C"

import (
	_ "gatepost.invalid/gatepost/include"         // carries gatepost.h
	_ "gatepost.invalid/gatepost/lib/linux_arm64" // carries the archive
)

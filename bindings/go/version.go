package gatepost

// #include "shim.h"
import "C"

import (
	"fmt"
	"strconv"
	"strings"
)

// Version is the release that this package was built for; LibraryVersion says the library's.
const Version = C.GATEPOST_VERSION

// LibraryVersion is the version of the library that runs. It equals Version where the two belong together.
func LibraryVersion() string {
	return static(C.gatepost_version())
}

// HasFeature tells whether the library that runs can do something: "basic", "bearer", "api-key", "sqlite", "pool",
// "https" (keys by URL without Options.Fetch). Later releases add names.
func HasFeature(name string) bool {
	var p pins
	defer p.release()
	return C.gatepost_has_feature(p.str(name)) == 1
}

// checkLibrary tells whether the library that runs can serve this package.
func checkLibrary() error {
	library := LibraryVersion()
	if C.gatepost_abi_check(C.GATEPOST_ABI) != C.GATEPOST_OK {
		return &Error{Status: StatusUnsupported, Message: fmt.Sprintf(
			"the %s is %s with binary interface %d, and this program was built for %s with %d: %s",
			whichLibrary, library, C.gatepost_abi(), Version, C.GATEPOST_ABI, fmt.Sprintf(otherInterface, C.GATEPOST_ABI))}
	}
	if older(library, Version) {
		return &Error{Status: StatusUnsupported, Message: fmt.Sprintf(
			"the %s is %s, older than %s, for which this program was built: %s",
			whichLibrary, library, Version, fmt.Sprintf(olderLibrary, Version))}
	}
	return nil
}

// older compares versions like "0.1.0". What is not one is not older.
func older(version, than string) bool {
	a, b := strings.Split(version, "."), strings.Split(than, ".")
	for i := 0; i < len(a) && i < len(b); i++ {
		x, errX := strconv.Atoi(a[i])
		y, errY := strconv.Atoi(b[i])
		if errX != nil || errY != nil {
			return false
		}
		if x != y {
			return x < y
		}
	}
	return false
}

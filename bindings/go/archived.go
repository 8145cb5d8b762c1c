//go:build cgo && !gatepost_shared

package gatepost

const (
	whichLibrary   = "static archive"
	otherInterface = "put the archive with interface %d below lib/ of the module, as make go-archive does, and build again"
	olderLibrary   = "put the archive of %s below lib/ of the module, as make go-archive does, and build again"
)

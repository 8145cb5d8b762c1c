// Package include carries gatepost.h, the header of the C interface, which `make go-archive` puts here. It is a package
// so that `go mod vendor` takes the header along.
package include

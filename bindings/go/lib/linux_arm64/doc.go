// Package linux_arm64 carries the static archive for Linux on arm64, libgatepost.a, which `make go-archive` puts here. It is
// a package so that `go mod vendor` takes the archive along.
package linux_arm64

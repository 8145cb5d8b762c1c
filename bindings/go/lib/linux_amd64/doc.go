// Package linux_amd64 carries the static archive for Linux on amd64, libgatepost.a, which `make go-archive` puts here. It is
// a package so that `go mod vendor` takes the archive along.
package linux_amd64

//go:build cgo && !gatepost_shared && !(linux && (amd64 || arm64))

package gatepost

// There is no static archive for this platform. Build with -tags gatepost_shared, which takes the installed shared
// library from pkg-config.
var _ = no_static_archive_for_this_platform__build_with_tags_gatepost_shared

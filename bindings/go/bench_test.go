package gatepost_test

import (
	"testing"

	"gatepost.invalid/gatepost"
)

func BenchmarkDecide(b *testing.B) {
	engine := open(b, policy(b, ""), nil)
	r := request("GET", "/health", false)
	for _, name := range []string{"User-Agent", "Accept", "Accept-Language", "Accept-Encoding", "Connection", "Referer", "Sec-Fetch-Site"} {
		r.Header.Set(name, "a value of usual length")
	}
	b.ReportAllocs()
	for b.Loop() {
		if d, err := engine.Decide(r); err != nil || d.Action() != gatepost.Allow {
			b.Fatal(err)
		}
	}
}

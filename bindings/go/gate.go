//go:build cgo

package gatepost

import "sync/atomic"

// gate counts the calls that are inside the library, so that Close can wait for them: gatepost_engine_free must not meet
// one. The count lies in several places, one of which each call mostly has for itself, so that processors do not wait
// for each other.
type gate struct {
	closed  atomic.Bool
	places  [places]place
	left    chan struct{} // a call has ended after closed was set
	closing chan struct{} // closed together with the gate
	next    atomic.Uint32 // gives places out
}

const places = 32

type place struct {
	inside atomic.Int64
	_      [120]byte // a place has its cache lines for itself
}

func newGate() *gate {
	return &gate{left: make(chan struct{}, 1), closing: make(chan struct{})}
}

// place gives out a place in turn.
func (g *gate) place() *place {
	return &g.places[g.next.Add(1)%places]
}

// enter tells whether a call may begin; where it may, leave ends it.
func (g *gate) enter(p *place) bool {
	p.inside.Add(1)
	if g.closed.Load() {
		g.leave(p)
		return false
	}
	return true
}

func (g *gate) leave(p *place) {
	p.inside.Add(-1)
	if g.closed.Load() {
		select {
		case g.left <- struct{}{}:
		default:
		}
	}
}

// close shuts the gate and waits until nobody is inside. It answers false where it was shut before.
func (g *gate) close() bool {
	if !g.closed.CompareAndSwap(false, true) {
		return false
	}
	close(g.closing)
	for i := range g.places {
		for g.places[i].inside.Load() != 0 {
			<-g.left
		}
	}
	return true
}

package gatepost

// #include "shim.h"
import "C"

import (
	"runtime"
	"time"
)

// Poll does the housekeeping that is due, and answers when it is worth calling again. An engine does it by itself, unless
// Options.NoHousekeeping was set.
//
// It sweeps counters that are over, writes when API keys were last used, fetches keys of issuers, reads files of keys
// that have changed, writes events that wait, and calls OnEvent for those that are about no request. It may take as long
// as an issuer's server takes to answer.
func (e *Engine) Poll() (next time.Duration, err error) {
	defer runtime.KeepAlive(e)
	c := e.opened()
	if c == nil {
		return 0, errNotOpened
	}
	return c.poll()
}

func (c *core) poll() (time.Duration, error) {
	var milliseconds C.uint64_t
	var job *C.gatepost_job
	if !c.gate.enter(c.own) {
		return 0, ErrClosed
	}
	status := C.gatepost_engine_poll(c.pointer, &milliseconds, &job)
	c.gate.leave(c.own)
	if status != C.GATEPOST_OK {
		return 0, failure(status, nil)
	}
	if job != nil {
		c.keepHouse(job)
	}
	return time.Duration(milliseconds) * time.Millisecond, nil
}

// keepHouse runs a job of housekeeping, which holds the engine by itself. Close does not wait for an issuer's server: the job
// is given up then, and ends by itself.
func (c *core) keepHouse(job *C.gatepost_job) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		C.gatepost_job_run(job)
		// Does nothing where it was cancelled.
		C.gatepost_job_free(job)
	}()
	select {
	case <-done:
	case <-c.ended.Done():
		C.gatepost_job_cancel(job)
	}
}

// keep begins housekeeping: one goroutine, until Close.
func (c *core) keep() {
	c.keeper.Add(1)
	go func() {
		defer c.keeper.Done()
		timer := time.NewTimer(0)
		defer timer.Stop()
		for {
			select {
			case <-c.ended.Done():
				return
			case <-timer.C:
			case <-c.wake:
			}
			next, err := c.poll()
			if err == ErrClosed {
				return
			}
			if err != nil {
				c.logger().Error("gatepost: housekeeping failed", "error", err)
				next = time.Second
			}
			timer.Reset(max(next, 10*time.Millisecond))
		}
	}()
}

// wakeKeeper has housekeeping done at once: a reload has events to tell and keys to fetch.
func (c *core) wakeKeeper() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

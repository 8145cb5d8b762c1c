package gatepost

// #cgo noescape gp_go_lend_4
// #cgo nocallback gp_go_lend_4
// #cgo noescape gp_go_lend_10
// #cgo nocallback gp_go_lend_10
// #cgo noescape gp_go_lend_16
// #cgo nocallback gp_go_lend_16
// #cgo noescape gp_go_decide
// #cgo nocallback gp_go_decide
// #cgo noescape gp_go_run
// #cgo nocallback gp_go_run
// #cgo noescape gp_go_text
// #cgo nocallback gp_go_text
// #include "shim.h"
import "C"

import (
	"context"
	"log/slog"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Options is what the program sets besides the policy. Its zero is what most want.
type Options struct {
	// Clock answers the time to decide at; nil: the system's. It is called from any goroutine, also from several at
	// once, and must not call the engine.
	Clock func() time.Time
	// OnEvent hears events, also where the policy names no file for them. Those of a request come before its Decide
	// returns, on its goroutine, with its context; all others come from housekeeping, with context.Background(). It is
	// called from several goroutines at once, and must not call the engine. It must return: runtime.Goexit, and so
	// testing.T.FailNow, in a callback leaves the library in the middle of its work.
	OnEvent func(ctx context.Context, event Event)
	// Fetch gets keys of issuers (url and discovery in the policy) in place of the engine's own client, for programs
	// with their own HTTP, proxies or sandbox.
	Fetch func(ctx context.Context, document Document) (Fetched, error)
	// HashingMemory is the most memory for password hashing in this process, in bytes; 0: 256 MiB. Of several engines
	// the most counts.
	HashingMemory uint64
	// ReadOnly decides without leaving a trace: no counter, no last use. For tools, never for a server.
	ReadOnly bool
	// StartLater leaves Start to the program: for one that opens the engine as root, secrets included, and starts it
	// once it has given up root.
	StartLater bool
	// NoHousekeeping leaves calling Poll to the program. Otherwise one goroutine does, until Close.
	NoHousekeeping bool
	// SlowChecks is how many checks of passwords and reads of the state run at once; 0: GOMAXPROCS. Each takes a thread
	// of the operating system while it runs.
	SlowChecks int
	// MostWaiting is how many requests may wait for one of these; 0: 1,024. One more is StatusOverloaded.
	MostWaiting int
	// RequestID names a request; nil, and an empty name: the engine draws an id.
	RequestID func(*http.Request) string
	// OnError answers a request for which no decision could be made; nil: 503 where it is for the moment, else 500, and
	// a line in Logger. It must not let the request through.
	OnError func(w http.ResponseWriter, r *http.Request, err error)
	// Logger gets what goes wrong inside; nil: slog.Default().
	Logger *slog.Logger
}

// Engine is a loaded policy with its state. All of its methods may be called from any number of goroutines at once.
//
// Close ends it; an engine that nothing refers to any more is ended by the garbage collector.
//
// An Engine is not to be copied, and only Open and New make one that works.
type Engine struct {
	core  *core
	alive *alive
	_     noCopy
}

// alive is what the garbage collector watches. A copy of an Engine holds it too, so that the engine does not end while
// the copy is used.
type alive struct {
	core *core
}

// noCopy lets go vet warn of copies.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

// opened answers the core, or nil for an Engine that neither Open nor New has made.
func (e *Engine) opened() *core {
	if e == nil {
		return nil
	}
	return e.core
}

// core is the part of an engine that housekeeping and requests under way hold: it does not refer to the Engine, so that
// the garbage collector sees when nobody else does.
type core struct {
	pointer *C.gatepost_engine
	gate    *gate
	own     *place // for calls that are not decisions
	told    bool   // the library calls back into Go
	options Options
	file    string // that Open was given
	slots   chan struct{}
	waiting atomic.Int64
	pool    sync.Pool
	ended   context.Context
	end     context.CancelFunc
	once    sync.Once
	closed  chan struct{} // closed when all has ended
	wake    chan struct{} // housekeeping has something to do
	keeper  sync.WaitGroup
}

// Open makes an engine of a policy file, opens its state, and begins housekeeping. options may be nil. Where the file is
// not there, errors.Is(err, fs.ErrNotExist).
func Open(file string, options *Options) (*Engine, error) {
	if file == "" {
		return nil, errNoFile
	}
	e, err := open(options, func(p *pins, o *C.gatepost_options, engine **C.gatepost_engine, fault **C.gatepost_error) C.gatepost_status {
		return C.gatepost_engine_open(p.str(file), o, engine, fault)
	})
	if e != nil {
		e.core.file = file
	}
	return e, withFile(err, file)
}

// New makes an engine of the text of a policy, as Open does. folder is where the files are that it names; empty: the
// working directory. Reload then has no file to read and fails.
func New(text, folder string, options *Options) (*Engine, error) {
	return open(options, func(p *pins, o *C.gatepost_options, engine **C.gatepost_engine, fault **C.gatepost_error) C.gatepost_status {
		return C.gatepost_engine_new(p.str(text), p.str(folder), o, engine, fault)
	})
}

func open(options *Options, make func(*pins, *C.gatepost_options, **C.gatepost_engine, **C.gatepost_error) C.gatepost_status) (*Engine, error) {
	if err := checkLibrary(); err != nil {
		return nil, err
	}
	c := newCore(options)
	var p pins
	defer p.release()
	raw := c.rawOptions()
	var engine *C.gatepost_engine
	var fault *C.gatepost_error
	if status := make(&p, &raw, &engine, &fault); status != C.GATEPOST_OK {
		c.end()
		return nil, failure(status, fault)
	}
	c.pointer = engine
	e := &Engine{core: c, alive: &alive{c}}
	// What the engine holds ends with it, on a goroutine of its own since that may wait.
	runtime.AddCleanup(e.alive, func(c *core) { go c.close() }, c)
	if !c.options.StartLater {
		if err := e.Start(); err != nil {
			c.close()
			return nil, err
		}
	}
	return e, nil
}

func newCore(options *Options) *core {
	c := &core{gate: newGate()}
	if options != nil {
		c.options = *options
	}
	if c.options.SlowChecks <= 0 {
		c.options.SlowChecks = runtime.GOMAXPROCS(0)
	}
	if c.options.MostWaiting <= 0 {
		c.options.MostWaiting = 1024
	}
	c.own = c.gate.place()
	c.wake = make(chan struct{}, 1)
	c.closed = make(chan struct{})
	c.slots = make(chan struct{}, c.options.SlowChecks)
	c.pool.New = func() any { return newScratch(c.gate) }
	c.told = c.options.Clock != nil || c.options.OnEvent != nil
	c.ended, c.end = context.WithCancel(context.Background())
	return c
}

func (c *core) logger() *slog.Logger {
	if c.options.Logger != nil {
		return c.options.Logger
	}
	return slog.Default()
}

// call runs something that uses the engine, unless it is closed.
func (e *Engine) call(what func(engine *C.gatepost_engine) error) error {
	defer runtime.KeepAlive(e)
	c := e.opened()
	if c == nil {
		return errNotOpened
	}
	if !c.gate.enter(c.own) {
		return ErrClosed
	}
	defer c.gate.leave(c.own)
	return what(c.pointer)
}

// setUp is call for functions that say why they failed.
func (e *Engine) setUp(what func(engine *C.gatepost_engine, fault **C.gatepost_error) C.gatepost_status) error {
	return e.call(func(engine *C.gatepost_engine) error {
		var fault *C.gatepost_error
		if status := what(engine, &fault); status != C.GATEPOST_OK {
			return failure(status, fault)
		}
		return nil
	})
}

// Start opens the state and, where the policy names one, the events file, and begins housekeeping. Open and New have
// done so, unless Options.StartLater was set. A second call does nothing; after an error it may be called again.
func (e *Engine) Start() error {
	err := e.setUp(func(engine *C.gatepost_engine, fault **C.gatepost_error) C.gatepost_status {
		return C.gatepost_engine_start(engine, fault)
	})
	if err == nil && !e.core.options.NoHousekeeping {
		e.core.once.Do(e.core.keep)
	}
	return err
}

// Reload reads the policy file again and swaps it in whole: each decision is made by one whole policy. On an error the
// old one stays in force.
func (e *Engine) Reload() error {
	c := e.opened()
	if c == nil {
		return errNotOpened
	}
	defer c.wakeKeeper()
	return withFile(e.setUp(func(engine *C.gatepost_engine, fault **C.gatepost_error) C.gatepost_status {
		return C.gatepost_engine_reload(engine, fault)
	}), c.file)
}

// Generation counts the policies that were in force: 1 for the first, one more after each reload that succeeded; 0 after
// Close.
func (e *Engine) Generation() (generation uint64) {
	_ = e.call(func(engine *C.gatepost_engine) error {
		generation = uint64(C.gatepost_engine_generation(engine))
		return nil
	})
	return generation
}

// Close ends the engine: it waits for decisions under way, gives up those that wait for their turn, ends housekeeping,
// and writes the events that wait. Decisions stay as they are; every later call answers ErrClosed. It answers nil, and
// may be called again, also from several goroutines: each returns when all of that is done. It must not be called from a
// callback of the same engine.
func (e *Engine) Close() error {
	if c := e.opened(); c != nil {
		c.close()
	}
	return nil
}

func (c *core) close() {
	if !c.gate.close() {
		<-c.closed
		return
	}
	defer close(c.closed)
	c.end()
	c.keeper.Wait()
	C.gatepost_engine_free(c.pointer)
}

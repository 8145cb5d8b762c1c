package gatepost

// #include "shim.h"
import "C"

import (
	"errors"
	"io/fs"
	"os"
	"unsafe"
)

// ErrClosed is what every call on an engine answers after Close. The request must be refused.
var ErrClosed = errors.New("gatepost: the engine is closed")

var errNotOpened = &Error{Status: StatusNotStarted, Message: "this Engine was not made by Open or New"}

var errNoFile = &Error{Status: StatusInvalidArgument, Message: "the name of the policy file is empty"}

// gone is the error of a request that nobody waits for any more.
type gone struct {
	cause error
}

func (g *gone) Error() string {
	return "gatepost: nobody waits for the decision any more: " + g.cause.Error()
}

func (g *gone) Unwrap() []error { return []error{g.cause, StatusCancelled} }

// ErrNoTarget is what Decide answers for a request without a RequestURI, as http.NewRequest makes it: the engine judges
// the target as the client sent it, and a URL that was decoded already does not tell. Servers and httptest.NewRequest
// set it.
var ErrNoTarget = errors.New("gatepost: the request has no RequestURI; it did not come from a server, so set it to the raw request-target")

// Status says how a call of the library failed. It is an error itself, so that errors.Is(err, gatepost.StatusPolicy)
// works on whatever a function of this package returned.
type Status uint32

// The ways in which calls fail. A number that is none of these, of a later release, is an error too.
const (
	// StatusInvalidArgument: an argument breaks the rules of the function.
	StatusInvalidArgument Status = C.GATEPOST_ERR_INVALID_ARGUMENT
	// StatusUnsupported: something is asked for that this release does not know.
	StatusUnsupported Status = C.GATEPOST_ERR_UNSUPPORTED
	// StatusNotStarted: Start was not called, which Open does unless Options.StartLater says otherwise.
	StatusNotStarted Status = C.GATEPOST_ERR_NOT_STARTED
	// StatusPolicy: the policy does not load; the error says all that is wrong with it.
	StatusPolicy Status = C.GATEPOST_ERR_POLICY
	// StatusState: the state cannot be opened, read or written.
	StatusState Status = C.GATEPOST_ERR_STATE
	// StatusNoMemory: memory ran out.
	StatusNoMemory Status = C.GATEPOST_ERR_NO_MEMORY
	// StatusOverloaded: no room to work on it now; try again later.
	StatusOverloaded Status = C.GATEPOST_ERR_OVERLOADED
	// StatusCancelled: what was asked for was given up.
	StatusCancelled Status = C.GATEPOST_ERR_CANCELLED
	// StatusNotRun: a fault of this package. Please report it.
	StatusNotRun Status = C.GATEPOST_ERR_NOT_RUN
	// StatusConflict: it exists already, does not exist, or was done before.
	StatusConflict Status = C.GATEPOST_ERR_CONFLICT
	// StatusSystem: the operating system refused something.
	StatusSystem Status = C.GATEPOST_ERR_SYSTEM
	// StatusPanic: a fault in the library that ended this call alone. Please report it.
	StatusPanic Status = C.GATEPOST_ERR_PANIC
	// StatusInternal: another fault in the library. Please report it.
	StatusInternal Status = C.GATEPOST_ERR_INTERNAL
	// StatusRefused: a credential that was handed in is not taken; why is for the log and not for the client.
	StatusRefused Status = C.GATEPOST_ERR_REFUSED
)

// Error says in a few words what the status means.
func (s Status) Error() string {
	return "gatepost: " + static(C.gatepost_status_text(C.gatepost_status(s)))
}

// Error is why a call failed. A refused request is none: it has a Decision, whose Err says why.
type Error struct {
	// Status is the kind of failure; errors.Is finds it.
	Status Status
	// Message says what happened and what to do about it. It has several lines where a policy has several faults, each
	// with its place and the offending text underlined.
	Message string
	// File is the file that the error is about; empty where there is none.
	File string
	// Line is the first line that it is about, counted from 1; 0 where there is none.
	Line int
	// Column is the column in that line in characters, counted from 1; 0 where there is none.
	Column int

	missing bool // the policy file is not there
}

// Error is the message.
func (e *Error) Error() string {
	return "gatepost: " + e.Message
}

// Unwrap answers the status, for errors.Is.
func (e *Error) Unwrap() error {
	return e.Status
}

// Is tells errors.Is that fs.ErrNotExist, which is os.ErrNotExist, is right of a policy file that is not there.
func (e *Error) Is(target error) bool {
	return e.missing && target == fs.ErrNotExist
}

// withFile marks the error about a policy file that is not there, which the library tells in words only.
func withFile(err error, file string) error {
	var fault *Error
	if file != "" && errors.As(err, &fault) {
		_, unseen := os.Stat(file)
		fault.missing = errors.Is(unseen, fs.ErrNotExist)
	}
	return err
}

// failure turns a status, and an error object that is ended here, into an error.
func failure(status C.gatepost_status, object *C.gatepost_error) error {
	if object == nil {
		return &Error{Status: Status(status), Message: static(C.gatepost_status_text(status))}
	}
	defer C.gatepost_error_free(object)
	return &Error{
		Status:  Status(C.gatepost_error_status(object)),
		Message: text(C.gatepost_error_message(object)),
		File:    text(C.gatepost_error_file(object)),
		Line:    int(C.gatepost_error_line(object)),
		Column:  int(C.gatepost_error_column(object)),
	}
}

// text copies a string of the library.
func text(s C.gatepost_str) string {
	if s.len == 0 {
		return ""
	}
	return string(unsafe.Slice((*byte)(unsafe.Pointer(s.ptr)), int(s.len)))
}

// static takes a string that the library has for good; it cannot be unloaded.
func static(s C.gatepost_str) string {
	if s.len == 0 {
		return ""
	}
	return unsafe.String((*byte)(unsafe.Pointer(s.ptr)), int(s.len))
}

// taken copies bytes of the library and ends them, which overwrites them.
func taken(bytes *C.gatepost_bytes) string {
	defer C.gatepost_bytes_free(bytes)
	return text(C.gatepost_bytes_view(bytes))
}

// What the Go module costs: a decision beside the same by C alone, a service with the middleware beside the same without
// it, and verifying a token beside golang-jwt. All in one process and in turn, in many short windows.
//
//	bench decide POLICY TOKEN KEY     prints a table
//	bench measure POLICY TOKEN KEY    prints what benches/bindings.sh reads
//	bench tokens FOLDER
//	bench serve POLICY
//	bench floor POLICY [TARGET STATUS [FIELD VALUE]]  says what one call into C costs at least
package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
)

func main() {
	if len(os.Args) < 3 {
		fail("usage: bench decide|tokens|serve|floor …")
	}
	switch os.Args[1] {
	case "decide", "measure":
		if len(os.Args) != 5 {
			fail("usage: bench decide|measure POLICY TOKEN KEY")
		}
		decide(os.Args[2], os.Args[3], os.Args[4], os.Args[1] == "measure")
	case "tokens":
		tokens(os.Args[2])
	case "serve":
		serve(os.Args[2])
	case "floor":
		target, status := "/health", 200
		if len(os.Args) >= 5 {
			target, status = os.Args[3], must(strconv.Atoi(os.Args[4]))
		}
		floor(os.Args[2], target, status, os.Args[min(5, len(os.Args)):]...)
	default:
		fail("there is no benchmark " + os.Args[1])
	}
}

func fail(what any) {
	fmt.Fprintln(os.Stderr, "bench:", what)
	os.Exit(1)
}

func must[T any](value T, err error) T {
	if err != nil {
		fail(err)
	}
	return value
}

// turns is how many windows there are of each kind. They are many and short, so that some meet nobody else. WINDOWS in the
// environment asks for another number.
func turns(usual int) int {
	if n, err := strconv.Atoi(os.Getenv("WINDOWS")); err == nil && n > 0 {
		return n
	}
	return usual
}

// quick is what a tenth of the windows were quicker than. A machine that others use as well is slow most of the time and
// quiet for moments, which the median would not see.
func quick(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/10]
}

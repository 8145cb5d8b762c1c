// Open opens the policy that it is handed, and prints the error: run by a test with a library that is not the header's.
package main

import (
	"fmt"
	"os"

	"gatepost.invalid/gatepost"
)

func main() {
	engine, err := gatepost.Open(os.Args[1], nil)
	if err != nil {
		fmt.Println(err)
		os.Exit(3)
	}
	_ = engine.Close()
	fmt.Println("opened with", gatepost.LibraryVersion())
}

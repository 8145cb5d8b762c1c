// The same tokens before golang-jwt, with its keys parsed: main FOLDER SECONDS ALGORITHM...
package main

import (
	"fmt"
	"os"
	"sort"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func read(folder, name string) []byte {
	text, err := os.ReadFile(folder + "/" + name)
	if err != nil {
		panic(err)
	}
	return text
}

func key(folder, name string) any {
	var parsed any
	var err error
	switch name[:2] {
	case "HS":
		return read(folder, name+".key")
	case "RS", "PS":
		parsed, err = jwt.ParseRSAPublicKeyFromPEM(read(folder, name+".pem"))
	case "ES":
		parsed, err = jwt.ParseECPublicKeyFromPEM(read(folder, name+".pem"))
	default:
		parsed, err = jwt.ParseEdPublicKeyFromPEM(read(folder, name+".pem"))
	}
	if err != nil {
		panic(err)
	}
	return parsed
}

func main() {
	folder := os.Args[1]
	seconds, err := strconv.ParseFloat(os.Args[2], 64)
	if err != nil {
		panic(err)
	}
	for _, name := range os.Args[3:] {
		if jwt.GetSigningMethod(name) == nil {
			continue
		}
		held := key(folder, name)
		token := string(read(folder, name+".token"))
		parser := jwt.NewParser(jwt.WithValidMethods([]string{name}), jwt.WithAudience("orders"),
			jwt.WithIssuer("https://accounts.example.com/"+name), jwt.WithExpirationRequired())
		var rounds []float64
		for round := 0; round < 11; round++ {
			begun, count := time.Now(), 0
			for {
				if _, err := parser.Parse(token, func(*jwt.Token) (any, error) { return held, nil }); err != nil {
					panic(err)
				}
				count++
				if passed := time.Since(begun); passed.Seconds() >= seconds/11 {
					rounds = append(rounds, float64(passed.Nanoseconds())/float64(count))
					break
				}
			}
		}
		sort.Float64s(rounds)
		fmt.Printf("golang-jwt %s %.0f\n", name, rounds[5])
	}
}

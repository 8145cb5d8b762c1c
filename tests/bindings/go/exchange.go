package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// line is one line: its words, decoded.
type line []string

func (l line) says(first string, words int) bool {
	return len(l) == words && l[0] == first
}

// exchange is one side of the talk with the runner.
type exchange struct {
	in  *bufio.Reader
	out *bufio.Writer
}

var errSyntax = errors.New("a word that is not written as it must be")

// hear reads lines up to "end". A line that cannot be read is an error, but what follows it is read all the same.
func (e *exchange) hear() (lines []line, fault, err error) {
	for {
		text, err := e.in.ReadString('\n')
		if err == io.EOF && text == "" && len(lines) == 0 {
			return nil, nil, io.EOF
		}
		if err != nil {
			return nil, nil, io.ErrUnexpectedEOF
		}
		text = strings.TrimSuffix(text, "\n")
		if text == "end" {
			return lines, fault, nil
		}
		words := strings.Split(text, " ")
		for i := range words {
			if i == 0 {
				continue
			}
			if words[i], err = decode(words[i]); err != nil {
				fault = err
			}
		}
		lines = append(lines, words)
	}
}

// say writes one line.
func (e *exchange) say(first string, words ...string) {
	e.out.WriteString(first)
	for _, word := range words {
		e.out.WriteByte(' ')
		e.out.WriteString(encode(word))
	}
	e.out.WriteByte('\n')
}

func (e *exchange) end() error {
	e.out.WriteString("end\n")
	return e.out.Flush()
}

func encode(word string) string {
	var out strings.Builder
	for i := 0; i < len(word); i++ {
		if c := word[i]; c > 0x20 && c < 0x7f && c != '%' {
			out.WriteByte(c)
		} else {
			fmt.Fprintf(&out, "%%%02X", c)
		}
	}
	return out.String()
}

func decode(word string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(word); i++ {
		c := word[i]
		if c == '%' {
			if i+2 >= len(word) {
				return "", errSyntax
			}
			var octet byte
			if _, err := fmt.Sscanf(word[i+1:i+3], "%2x", &octet); err != nil {
				return "", errSyntax
			}
			c, i = octet, i+2
		} else if c <= 0x20 || c >= 0x7f {
			return "", errSyntax
		}
		out.WriteByte(c)
	}
	return out.String(), nil
}

package gatepost_test

import (
	"crypto/rand"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gatepost.invalid/gatepost"
)

const (
	alice    = "alice"
	password = "four cups of green tea each noon"
)

// release is the folder of the command line, which makes users and keys.
func release(t testing.TB) string {
	t.Helper()
	folder := os.Getenv("GATEPOST_RELEASE")
	if folder == "" {
		folder = "../../target/release"
	}
	folder, err := filepath.Abs(folder)
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// command runs the command line.
func command(t testing.TB, input string, arguments ...string) string {
	t.Helper()
	run := exec.Command(filepath.Join(release(t), "gatepost"), arguments...)
	run.Stdin = strings.NewReader(input)
	var said strings.Builder
	run.Stderr = &said
	out, err := run.Output()
	if err != nil {
		t.Fatalf("gatepost %v: %v\n%s", arguments, err, said.String())
	}
	return strings.TrimSpace(string(out))
}

// policy writes testdata/orders.toml, and what is added to it, into a folder of the test's own.
func policy(t testing.TB, added string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/orders.toml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "orders.toml")
	write(t, file, string(text)+added)
	write(t, filepath.Join(filepath.Dir(file), "signing.key"), hex.EncodeToString(random()))
	return file
}

func random() []byte {
	bytes := make([]byte, 32)
	_, _ = rand.Read(bytes)
	return bytes
}

func write(t testing.TB, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// withAlice is a policy whose state has a clerk, alice.
func withAlice(t testing.TB, added string) string {
	t.Helper()
	file := policy(t, added)
	command(t, password+"\n", "user", "add", alice, "--role", "clerk", "--policy", file)
	return file
}

// open makes an engine that ends with the test.
func open(t testing.TB, file string, options *gatepost.Options) *gatepost.Engine {
	t.Helper()
	engine, err := gatepost.Open(file, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	return engine
}

// rewrite puts a text in the place of another in a file.
func rewrite(t testing.TB, file, from, to string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), from, to, 1)
	if changed == string(text) {
		t.Fatalf("%s does not hold %q", file, from)
	}
	write(t, file, changed)
}

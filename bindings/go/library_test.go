package gatepost_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gatepost.invalid/gatepost"
)

// The shared library of another release is played by one that stands before it and answers for it.
const anotherRelease = `
#include <gatepost.h>
gatepost_str gatepost_version(void) { return GATEPOST_STR(%q); }
uint32_t gatepost_abi(void) { return %d; }
gatepost_status gatepost_abi_check(uint32_t header) { return header == %[2]d ? GATEPOST_OK : GATEPOST_ERR_UNSUPPORTED; }
`

func TestASharedLibraryThatIsOlderThanTheHeaderIsAClearError(t *testing.T) {
	work := t.TempDir()
	include, err := filepath.Abs("include")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(work, "gatepost.pc"), fmt.Sprintf(
		"Name: gatepost\nDescription: the library under test\nVersion: 0\nLibs: -L%s -lgatepost\nCflags: -I%s\n", release(t), include))
	program := filepath.Join(work, "open")
	run(t, []string{"PKG_CONFIG_PATH=" + work, "CGO_ENABLED=1"}, "go", "build", "-tags", "gatepost_shared",
		// Not in the file above: to go's cache another folder there is no other program.
		"-ldflags", "-r "+release(t), "-o", program, "./testdata/open")
	file := policy(t, "")
	ask := func(library string) (string, int) {
		command := exec.Command(program, file)
		command.Env = append(os.Environ(), "LD_PRELOAD="+library)
		out, err := command.Output()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return string(out), command.ProcessState.ExitCode()
	}
	if said, code := ask(""); code != 0 || !strings.HasPrefix(said, "opened with ") {
		t.Errorf("%d %s", code, said)
	}
	for i, c := range []struct {
		version string
		abi     int
		code    int
		said    []string
	}{
		{"0.0.9", 0, 3, []string{"the shared library is 0.0.9, older than ", "install Gatepost"}},
		{"0.0.1", 99, 3, []string{"the shared library is 0.0.1 with binary interface 99", "install libgatepost.so.0"}},
		{"99.0.0", 0, 0, []string{"opened with 99.0.0"}},
	} {
		source, library := filepath.Join(work, fmt.Sprint(i, ".c")), filepath.Join(work, fmt.Sprint(i, ".so"))
		write(t, source, fmt.Sprintf(anotherRelease, c.version, c.abi))
		run(t, nil, "cc", "-shared", "-fPIC", "-I", include, "-o", library, source)
		said, code := ask(library)
		for _, wanted := range c.said {
			if code != c.code || !strings.Contains(said, wanted) {
				t.Errorf("%s: %d %s", c.version, code, said)
			}
		}
	}
}

// Of files that are not there, or not to be used, a build says what to do and not what the compiler cannot find. Each
// case is a copy of the module in which something is wrong.
func TestABuildThatCannotBeSaysWhatToDo(t *testing.T) {
	for name, c := range map[string]struct {
		change      func(module string)
		environment string
		wanted      string
	}{
		"without cgo":      {func(string) {}, "CGO_ENABLED=0", "gatepost_needs_cgo__set_CGO_ENABLED_1_and_install_a_C_compiler"},
		"without a header": {func(module string) { _ = os.Remove(filepath.Join(module, "include", "gatepost.h")) }, "CGO_ENABLED=1", "Run make go-archive"},
	} {
		module := copied(t)
		c.change(module)
		command := exec.Command("go", "build", "-o", filepath.Join(t.TempDir(), "open"), "./testdata/open")
		command.Dir, command.Env = module, append(os.Environ(), c.environment, "GOFLAGS=-mod=mod")
		said, err := command.CombinedOutput()
		if err == nil || !strings.Contains(string(said), c.wanted) {
			t.Errorf("%s: %v %s", name, err, said)
		}
		if lines := strings.Count(string(said), "undefined: "); name == "without cgo" && lines != 1 {
			t.Errorf("the one line that helps is among %d:\n%s", lines, said)
		}
	}
}

func TestAnArchiveThatIsOlderThanTheHeaderIsAClearError(t *testing.T) {
	module := copied(t)
	rewrite(t, filepath.Join(module, "include", "gatepost.h"), fmt.Sprintf("#define GATEPOST_VERSION %q", gatepost.Version), "#define GATEPOST_VERSION \"99.0.0\"")
	program := filepath.Join(module, "open")
	build := exec.Command("go", "build", "-o", program, "./testdata/open")
	build.Dir, build.Env = module, append(os.Environ(), "CGO_ENABLED=1")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	said, err := exec.Command(program, policy(t, "")).Output()
	for _, wanted := range []string{"the static archive is " + gatepost.Version + ", older than 99.0.0", "make go-archive"} {
		if err == nil || !strings.Contains(string(said), wanted) {
			t.Errorf("%v %s", err, said)
		}
	}
}

// copied is a copy of the module, whose archive is the same file.
func copied(t *testing.T) string {
	t.Helper()
	module := t.TempDir()
	for _, pattern := range []string{"*.go", "*.[ch]", "go.mod", "include/*", "lib/*/*", "testdata/open/*"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatal(pattern, err)
		}
		for _, name := range names {
			to := filepath.Join(module, name)
			if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(name, ".a") {
				whole, _ := filepath.Abs(name)
				err = os.Symlink(whole, to)
			} else if text, failed := os.ReadFile(name); failed != nil {
				err = failed
			} else {
				err = os.WriteFile(to, text, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return module
}

func run(t *testing.T, environment []string, name string, arguments ...string) {
	t.Helper()
	command := exec.Command(name, arguments...)
	command.Env = append(os.Environ(), environment...)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, arguments, err, out)
	}
}

package gatepost_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
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
		"Name: gatepost\nDescription: the library under test\nVersion: 0\nLibs: -L%s -lgatepost -Wl,-rpath,%[1]s\nCflags: -I%s\n", release(t), include))
	program := filepath.Join(work, "open")
	run(t, []string{"PKG_CONFIG_PATH=" + work, "CGO_ENABLED=1"}, "go", "build", "-tags", "gatepost_shared", "-o", program, "./testdata/open")
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

func run(t *testing.T, environment []string, name string, arguments ...string) {
	t.Helper()
	command := exec.Command(name, arguments...)
	command.Env = append(os.Environ(), environment...)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, arguments, err, out)
	}
}

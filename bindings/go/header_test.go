package gatepost_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gatepost.invalid/gatepost"
)

// notFollowed is what of the header this package leaves out, and why.
var notFollowed = map[string]string{
	"gatepost_decide":           "gatepost_decide_flat asks the same",
	"gatepost_decide_text":      "Go hands C its strings where they lie",
	"gatepost_place":            "gatepost_decide_text asks for it",
	"gatepost_decide_into":      "hands out no job, so that a slow check could not wait for its turn nor be given up",
	"gatepost_decision_action":  "gatepost_view has it",
	"gatepost_decision_status":  "gatepost_view has it",
	"gatepost_decision_reason":  "gatepost_view has it",
	"gatepost_decision_subject": "gatepost_view has it",
	"gatepost_decision_id":      "gatepost_view has it",
	"gatepost_engine_ref":       "Go has references of its own, and Close ends the engine for all of them",
	"gatepost_strip":            "the middleware decides about every request that it hands on",
	"gatepost_pool_new":         "goroutines are the pool",
	"gatepost_pool_submit":      "goroutines are the pool",
	"gatepost_pool_fd":          "goroutines are the pool",
	"gatepost_pool_dispatch":    "goroutines are the pool",
	"gatepost_pool_free":        "goroutines are the pool",

	"GATEPOST_VERSION_MAJOR": "GATEPOST_VERSION has it",
	"GATEPOST_VERSION_MINOR": "GATEPOST_VERSION has it",
	"GATEPOST_VERSION_PATCH": "GATEPOST_VERSION has it",
	"GATEPOST_NEED_BODY":     "reserved: no call answers it yet, and it would be an error",

	"gatepost_request.header_block":     "an array is made of the lengths, in which no octet can end a field",
	"gatepost_view.reason_name":         "Reason.String asks for it",
	"gatepost_token_view.reason_name":   "Reason.String asks for it",
	"gatepost_event.struct_size":        "all of its fields are there since the first release",
	"gatepost_fetch.struct_size":        "all of its fields are there since the first release",
	"gatepost_refresh_request.flags":    "there are none yet",
	"gatepost_options.reserved":         "0",
	"gatepost_fetched.reserved":         "0",
	"gatepost_token_view.reserved":      "0",
	"gatepost_token_request.reserved":   "0",
	"gatepost_refresh_request.reserved": "0",
}

// followedIn names the functions of this package that read or write all fields of a struct.
var followedIn = map[string][]string{
	"gatepost_str":             {"text", "str"},
	"gatepost_header":          {"unpack", "put_lengths"},
	"gatepost_flat":            {"pack"},
	"gatepost_request":         {"unpack"},
	"gatepost_view":            {"pack"},
	"gatepost_options":         {"rawOptions", "gp_go_callbacks"},
	"gatepost_event":           {"gatepostGoEvent", "on_event"},
	"gatepost_fetch":           {"document", "gatepostGoFetch"},
	"gatepost_fetched":         {"answerFetch"},
	"gatepost_token_view":      {"VerifyToken", "verified"},
	"gatepost_revocation":      {"RevokeToken"},
	"gatepost_token_request":   {"IssueToken"},
	"gatepost_refresh_request": {"RefreshToken"},
	"gatepost_issued":          {"issue", "tokens"},
}

var (
	comments  = regexp.MustCompile(`(?s)/\*.*?\*/|//[^\n]*`)
	constants = regexp.MustCompile(`(?m)^#define (GATEPOST_\w+) `)
	structs   = regexp.MustCompile(`(?s)typedef struct (gatepost_\w+) \{(.*?)\} gatepost_\w+;`)
	field     = regexp.MustCompile(`(\w+);`)
	functions = regexp.MustCompile(`(?m)^[\w][\w *]*?\b(gatepost_\w+)\(`)
)

// gaps is what of a header the sources leave out without saying so.
func gaps(header string, sources map[string]string) (gaps []string) {
	header = comments.ReplaceAllString(header, "")
	var all strings.Builder
	for _, text := range sources {
		all.WriteString(comments.ReplaceAllString(text, ""))
	}
	judge := func(name string, followed bool) {
		if _, left := notFollowed[name]; left == followed {
			gaps = append(gaps, fmt.Sprintf("%s: followed %v, and left out on purpose %v", name, followed, left))
		}
	}
	known := map[string]bool{}
	for _, m := range functions.FindAllStringSubmatch(header, -1) {
		known[m[1]] = true
		judge(m[1], regexp.MustCompile(`\b`+m[1]+`\(`).MatchString(all.String()))
	}
	for _, m := range constants.FindAllStringSubmatch(header, -1) {
		known[m[1]] = true
		judge(m[1], regexp.MustCompile(`\b`+m[1]+`\b`).MatchString(all.String()))
	}
	for _, m := range structs.FindAllStringSubmatch(header, -1) {
		if _, left := notFollowed[m[1]]; left {
			known[m[1]] = true
			continue
		}
		var text string
		for _, function := range followedIn[m[1]] {
			text += definition(sources, function)
		}
		if text == "" {
			gaps = append(gaps, m[1]+": no function follows it")
			continue
		}
		for _, f := range field.FindAllStringSubmatch(m[2], -1) {
			known[m[1]+"."+f[1]] = true
			if m[1] == "gatepost_request" && !strings.Contains(definition(sources, "gp_go_ask_with"), "request."+f[1]+" = ") {
				gaps = append(gaps, m[1]+"."+f[1]+": gp_go_ask_with, which does not zero the struct, leaves it as it is")
			}
			judge(m[1]+"."+f[1], regexp.MustCompile(`(\.|->|\b)`+f[1]+`\b`).MatchString(text))
		}
	}
	for name := range notFollowed {
		if !known[name] && !(strings.HasSuffix(name, ".reserved")) {
			gaps = append(gaps, name+": left out, but not in the header")
		}
	}
	slices.Sort(gaps)
	return gaps
}

// definition is the text of all functions of that name.
func definition(sources map[string]string, name string) (text string) {
	pattern := regexp.MustCompile(`(?ms)^(func (\([^)]*\) )?|\w[\w *]*?)\b` + name + `\([^;]*?\{\n.*?^\}`)
	for _, source := range sources {
		text += strings.Join(pattern.FindAllString(comments.ReplaceAllString(source, ""), -1), "\n")
	}
	return text
}

func sources(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, pattern := range []string{"*.go", "*.c", "shim.h"} {
		names, _ := filepath.Glob(pattern)
		for _, name := range names {
			if text, err := os.ReadFile(name); err == nil && !strings.HasSuffix(name, "_test.go") {
				found[name] = string(text)
			}
		}
	}
	return found
}

func header(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../include/gatepost.h")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheHeaderIsFollowed(t *testing.T) {
	for _, gap := range gaps(header(t), sources(t)) {
		t.Error(gap)
	}
	carried, err := os.ReadFile("include/gatepost.h")
	if err != nil || string(carried) != header(t) {
		t.Error("include/gatepost.h is not the library's; run bindings/go/archive.sh")
	}
}

func TestAChangeOfTheHeaderThatIsNotFollowedIsNoticed(t *testing.T) {
	ours, theirs := sources(t), header(t)
	for name, change := range map[string][2]string{
		"gatepost_brew":                     {"gatepost_status gatepost_engine_start(", "gatepost_status gatepost_brew(void);\ngatepost_status gatepost_engine_start("},
		"GATEPOST_REASON_TEAPOT":            {"#define GATEPOST_REASON_INTERNAL 124", "#define GATEPOST_REASON_INTERNAL 124\n#define GATEPOST_REASON_TEAPOT 125"},
		"gatepost_view.leaves":              {"    uint64_t generation;\n} gatepost_view;", "    uint64_t generation;\n    uint32_t leaves;\n} gatepost_view;"},
		"gatepost_request.leaves":           {"    void *user;\n} gatepost_request;", "    void *user;\n    struct gatepost_str leaves;\n} gatepost_request;"},
		"gatepost_token_view.leaves":        {"    int64_t expires_at;\n} gatepost_token_view;", "    int64_t expires_at;\n    int64_t leaves;\n} gatepost_token_view;"},
		"gatepost_cup: no function follows": {"typedef struct gatepost_fetched {", "typedef struct gatepost_cup {\n    int leaves;\n} gatepost_cup;\ntypedef struct gatepost_fetched {"},
		"gatepost_pool_fd":                  {"int gatepost_pool_fd(", "int gatepost_pool_file("},
	} {
		changed := strings.Replace(theirs, change[0], change[1], 1)
		if changed == theirs {
			t.Fatalf("%s: the header does not hold %q", name, change[0])
		}
		if found := gaps(changed, ours); !slices.ContainsFunc(found, func(gap string) bool { return strings.HasPrefix(gap, name) }) {
			t.Errorf("%s is not noticed: %q", name, found)
		}
	}
}

func TestAFieldOfTheRequestIsSetOnBothWays(t *testing.T) {
	ours := sources(t)
	theirs := strings.Replace(header(t), "    void *user;\n} gatepost_request;", "    void *user;\n    int leaves;\n} gatepost_request;", 1)
	ours["shim.c"] = strings.Replace(ours["shim.c"], "    request->now = in->now;\n", "    request->now = in->now;\n    request->leaves = in->leaves;\n", 1)
	if found := gaps(theirs, ours); len(found) != 1 || !strings.HasPrefix(found[0], "gatepost_request.leaves: gp_go_ask_with") {
		t.Errorf("%q", found)
	}
}

func TestTheVersionIsTheLibrarys(t *testing.T) {
	if gatepost.Version != gatepost.LibraryVersion() {
		t.Errorf("%s and %s", gatepost.Version, gatepost.LibraryVersion())
	}
	cargo, err := os.ReadFile("../../Cargo.toml")
	if err != nil || !strings.Contains(string(cargo), "\nversion = \""+gatepost.Version+"\"\n") {
		t.Errorf("Cargo.toml has another version than %s: %v", gatepost.Version, err)
	}
	if !gatepost.HasFeature("basic") || gatepost.HasFeature("tea") {
		t.Error("HasFeature")
	}
}

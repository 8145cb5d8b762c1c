package gatepost_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatepost.invalid/gatepost"
)

func TestAPolicyThatDoesNotLoadSaysWhereAndWhatToDo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "orders.toml")
	write(t, file, "[engine]\nstate = \"orders.db\"\nschemes = [\"basic\"]\n\n[[route]]\npath = \"orders\"\nacess = \"public\"\n")
	_, opened := gatepost.Open(file, nil)
	_, checked := gatepost.CheckPolicy(file)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, read := gatepost.CheckPolicyText(string(text), file)
	for name, err := range map[string]error{"Open": opened, "CheckPolicy": checked, "CheckPolicyText": read} {
		var fault *gatepost.Error
		if !errors.Is(err, gatepost.StatusPolicy) || errors.Is(err, gatepost.StatusState) || !errors.As(err, &fault) {
			t.Fatalf("%s: %v", name, err)
		}
		if fault.File != file || fault.Line != 6 || fault.Column != 8 {
			t.Errorf("%s: %s:%d:%d", name, fault.File, fault.Line, fault.Column)
		}
		for _, wanted := range []string{"orders.toml:6:8", "acess", "^^^^"} {
			if !strings.Contains(err.Error(), wanted) {
				t.Errorf("%s: %q is not in\n%v", name, wanted, err)
			}
		}
	}
	if entries, _ := os.ReadDir(filepath.Dir(file)); len(entries) != 1 {
		t.Errorf("a policy that does not load has made files: %v", entries)
	}
}

func TestCheckPolicyTellsWarningsAndOpensNoState(t *testing.T) {
	file := policy(t, "")
	if warnings, err := gatepost.CheckPolicy(file); err != nil || warnings != "" {
		t.Errorf("%q %v", warnings, err)
	}
	text, _ := os.ReadFile(file)
	warnings, err := gatepost.CheckPolicyText(string(text)+"\n[password]\nmemory_kib = 8192\n", file)
	if err != nil || !strings.Contains(warnings, "8192") {
		t.Errorf("%q %v", warnings, err)
	}
	// An empty text is not the file's.
	write(t, file, "broken")
	if _, err := gatepost.CheckPolicyText("", file); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(file), "orders.db")); err == nil {
		t.Error("a check has made the state")
	}
}

func TestAPolicyThatIsNotThereIsAnError(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "nowhere.toml")
	for _, err := range []error{
		func() error { _, err := gatepost.Open(missing, nil); return err }(),
		func() error { _, err := gatepost.CheckPolicy(missing); return err }(),
	} {
		if err == nil || !strings.Contains(err.Error(), "nowhere.toml") || !errors.Is(err, os.ErrNotExist) || !errors.Is(err, gatepost.StatusPolicy) {
			t.Error(err)
		}
	}
	file := policy(t, "")
	engine := open(t, file, nil)
	_ = os.Remove(file)
	if err := engine.Reload(); !errors.Is(err, os.ErrNotExist) || engine.Generation() != 1 {
		t.Error(err)
	}
}

func TestOnlyAPolicyThatIsNotThereIsErrNotExist(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "orders.toml")
	write(t, broken, "[engine")
	// A file that the policy names and that is not there is a fault of the policy.
	named := policy(t, "")
	_ = os.Remove(filepath.Join(filepath.Dir(named), "signing.key"))
	text, _ := os.ReadFile(named)
	_, inText := gatepost.New(string(text), filepath.Dir(named), nil)
	for _, err := range []error{
		func() error { _, err := gatepost.Open(broken, nil); return err }(),
		func() error { _, err := gatepost.Open(named, nil); return err }(),
		func() error { _, err := gatepost.CheckPolicy(broken); return err }(),
		inText,
	} {
		if err == nil || errors.Is(err, os.ErrNotExist) {
			t.Error(err)
		}
	}
}

func TestAPolicyFileWithoutANameIsAClearError(t *testing.T) {
	_, opened := gatepost.Open("", nil)
	_, checked := gatepost.CheckPolicy("")
	for _, err := range []error{opened, checked} {
		if !errors.Is(err, gatepost.StatusInvalidArgument) || err.Error() != "gatepost: the name of the policy file is empty" {
			t.Error(err)
		}
	}
}

func TestAStateThatCannotBeOpenedIsAnErrorOfOpen(t *testing.T) {
	file := policy(t, "")
	write(t, filepath.Join(filepath.Dir(file), "orders.db"), strings.Repeat("no database ", 1000))
	if _, err := gatepost.Open(file, nil); !errors.Is(err, gatepost.StatusState) {
		t.Error(err)
	}
}

func TestNewTakesTheTextAndHasNothingToReload(t *testing.T) {
	file := policy(t, "")
	text, _ := os.ReadFile(file)
	engine, err := gatepost.New(string(text), filepath.Dir(file), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	if d, err := engine.Decide(request("GET", "/health", false)); err != nil || d.Reason() != gatepost.ReasonPublic {
		t.Errorf("%v %v", d, err)
	}
	if err := engine.Reload(); err == nil || engine.Generation() != 1 {
		t.Errorf("%v %d", err, engine.Generation())
	}
}

func TestAReloadThatFailsLeavesThePolicyInForce(t *testing.T) {
	file := policy(t, "")
	engine := open(t, file, nil)
	text, _ := os.ReadFile(file)
	write(t, file, string(text)+"\n[[route]]\npath = \"/new\"\naccess = \"pubic\"\n")
	if err := engine.Reload(); !errors.Is(err, gatepost.StatusPolicy) || engine.Generation() != 1 {
		t.Errorf("%v %d", err, engine.Generation())
	}
	if d, _ := engine.Decide(request("GET", "/new", false)); d.Reason() != gatepost.ReasonRouteUnknown {
		t.Error(d.Reason())
	}
	write(t, file, string(text)+"\n[[route]]\npath = \"/new\"\naccess = \"public\"\n")
	if err := engine.Reload(); err != nil || engine.Generation() != 2 {
		t.Errorf("%v %d", err, engine.Generation())
	}
	d, _ := engine.Decide(request("GET", "/new", false))
	if d.Reason() != gatepost.ReasonPublic || d.Generation() != 2 {
		t.Errorf("%v %d", d.Reason(), d.Generation())
	}
}

func TestAnEngineThatIsNotStartedRefuses(t *testing.T) {
	file := policy(t, "")
	engine := open(t, file, &gatepost.Options{StartLater: true})
	if _, err := os.Stat(filepath.Join(filepath.Dir(file), "orders.db")); err == nil {
		t.Error("the state is there before Start")
	}
	if _, err := engine.Decide(request("GET", "/health", false)); !errors.Is(err, gatepost.StatusNotStarted) {
		t.Error(err)
	}
	for range 2 {
		if err := engine.Start(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := engine.Decide(request("GET", "/health", false)); err != nil {
		t.Error(err)
	}
}

func TestAClosedEngineAnswersThatItIsClosed(t *testing.T) {
	engine := open(t, withAlice(t, ""), nil)
	kept, err := engine.Decide(request("GET", "/orders/7", true))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	}
	for name, call := range map[string]func() error{
		"Decide":        func() error { _, err := engine.Decide(request("GET", "/health", false)); return err },
		"DecideRequest": func() error { _, err := engine.DecideRequest(&gatepost.Request{Target: "/health"}); return err },
		"WantsBody":     func() error { _, err := engine.WantsBody(&gatepost.Request{}); return err },
		"Start":         engine.Start,
		"Reload":        engine.Reload,
		"Poll":          func() error { _, err := engine.Poll(); return err },
		"Metrics":       func() error { _, err := engine.Metrics(); return err },
		"VerifyToken":   func() error { _, err := engine.VerifyToken("x", time.Time{}); return err },
		"IssueToken":    func() error { _, err := engine.IssueToken(gatepost.TokenRequest{User: alice}); return err },
		"RefreshToken":  func() error { _, err := engine.RefreshToken(gatepost.RefreshRequest{}); return err },
		"RevokeToken":   func() error { return engine.RevokeToken(gatepost.Revocation{User: alice}) },
		"HashPassword":  func() error { _, err := engine.HashPassword(password); return err },
		"NeedsRehash":   func() error { _, err := engine.NeedsRehash("x"); return err },
	} {
		if err := call(); !errors.Is(err, gatepost.ErrClosed) || !gatepost.IsTemporary(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if engine.Generation() != 0 {
		t.Error(engine.Generation())
	}
	if kept.Subject() != alice || len(kept.UpstreamHeaders()) == 0 {
		t.Error("a decision has not outlived its engine")
	}
}

func TestARequestThatDidNotComeFromAServerIsAnError(t *testing.T) {
	engine := open(t, policy(t, ""), nil)
	r := httptest.NewRequest("GET", "/health", nil)
	r.RequestURI = ""
	for _, wrong := range []*http.Request{r, nil} {
		if _, err := engine.Decide(wrong); !errors.Is(err, gatepost.ErrNoTarget) || gatepost.IsTemporary(err) {
			t.Error(err)
		}
	}
}

func TestReasonsHaveNamesStatusesAndSentences(t *testing.T) {
	reason := gatepost.ReasonCredentialsMissing
	if reason.String() != "credentials_missing" || reason.Error() != "credentials_missing" || reason.Status() != 401 {
		t.Errorf("%v %d", reason, reason.Status())
	}
	person, operator := reason.Text(gatepost.Person), reason.Text(gatepost.Operator)
	if person == "" || operator == "" || person == operator {
		t.Errorf("%q %q", person, operator)
	}
	if none := gatepost.Reason(9999); none.String() != "" || none.Status() != 500 || none.Text(gatepost.Person) != "" {
		t.Errorf("%q %d", none.String(), none.Status())
	}
	if !strings.Contains(gatepost.StatusOverloaded.Error(), "gatepost: ") || gatepost.Status(9999).Error() == "gatepost: " {
		t.Errorf("%v %v", gatepost.StatusOverloaded, gatepost.Status(9999))
	}
}

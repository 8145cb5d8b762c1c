package gatepost

// #include "shim.h"
import "C"

// CheckPolicy checks a policy file as Open would, without opening its state, and answers its warnings, one below the
// other; empty: none. Where it does not load the error is an *Error with all that is wrong with it, and with file, line
// and column of the first.
func CheckPolicy(file string) (warnings string, err error) {
	if file == "" {
		return "", errNoFile
	}
	warnings, err = checkPolicy(file, "")
	return warnings, withFile(err, file)
}

// CheckPolicyText checks the text of a policy. file only names it for the messages; the files that it names are relative
// to file's folder.
func CheckPolicyText(text, file string) (warnings string, err error) {
	if text == "" {
		// Empty would mean that the file is read. A policy of nothing is checked as one with an empty line.
		text = "\n"
	}
	return checkPolicy(file, text)
}

func checkPolicy(file, text string) (string, error) {
	if err := checkLibrary(); err != nil {
		return "", err
	}
	var p pins
	defer p.release()
	var report *C.gatepost_bytes
	var fault *C.gatepost_error
	if status := C.gatepost_policy_check(p.str(file), p.str(text), &report, &fault); status != C.GATEPOST_OK {
		return "", failure(status, fault)
	}
	return taken(report), nil
}

package gatepost

// #include "shim.h"
import "C"

// HashPassword hashes a password with Argon2id (RFC 9106) and a fresh salt, at the cost that the policy says. The hash is
// in PHC form, "$argon2id$v=19$…". A password is UTF-8, up to 1,024 bytes, without control characters; how strong it is
// is not judged here. Slow on purpose.
func (e *Engine) HashPassword(password string) (hash string, err error) {
	var p pins
	defer p.release()
	err = e.setUp(func(engine *C.gatepost_engine, fault **C.gatepost_error) C.gatepost_status {
		return hashPassword(engine, p.str(password), &hash, fault)
	})
	return hash, err
}

// HashPassword hashes a password as Engine.HashPassword does, at the default cost of policies.
func HashPassword(password string) (hash string, err error) {
	var p pins
	defer p.release()
	var fault *C.gatepost_error
	if status := hashPassword(nil, p.str(password), &hash, &fault); status != C.GATEPOST_OK {
		return "", failure(status, fault)
	}
	return hash, nil
}

func hashPassword(engine *C.gatepost_engine, password C.gatepost_str, hash *string, fault **C.gatepost_error) C.gatepost_status {
	var bytes *C.gatepost_bytes
	status := C.gatepost_password_hash(engine, password, &bytes, fault)
	if status == C.GATEPOST_OK {
		*hash = taken(bytes)
	}
	return status
}

// VerifyPassword checks a password against a hash of Argon2, bcrypt, sha256-crypt, sha512-crypt, scrypt, PBKDF2, apr1,
// md5-crypt, {SHA} or {SSHA}, as crypt(3), htpasswd, Django, passlib and Werkzeug write them; in constant time with
// respect to both. One that does not match is no error. Slow on purpose.
func VerifyPassword(password, hash string) (matches bool, err error) {
	var p pins
	defer p.release()
	var fault *C.gatepost_error
	var yes C.uint32_t
	if status := C.gatepost_password_verify(p.str(password), p.str(hash), &yes, &fault); status != C.GATEPOST_OK {
		return false, failure(status, fault)
	}
	return yes == 1, nil
}

// NeedsRehash tells whether a hash was made with another cost or form than the policy asks for now, so that it is worth
// hashing the password again when it is next at hand. Quick.
func (e *Engine) NeedsRehash(hash string) (needs bool, err error) {
	var p pins
	defer p.release()
	var yes C.uint32_t
	err = e.setUp(func(engine *C.gatepost_engine, fault **C.gatepost_error) C.gatepost_status {
		return C.gatepost_password_needs_rehash(engine, p.str(hash), &yes, fault)
	})
	return yes == 1, err
}

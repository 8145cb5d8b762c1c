module gatepost.invalid/benches

go 1.24

require (
	gatepost.invalid/gatepost v0.1.0
	github.com/golang-jwt/jwt/v5 v5.3.1
)

replace gatepost.invalid/gatepost => ../../../bindings/go

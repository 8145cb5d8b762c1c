module gatepost.invalid/tests/cases

go 1.24

require gatepost.invalid/gatepost v0.1.0

replace gatepost.invalid/gatepost => ../../../bindings/go

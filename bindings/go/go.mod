module gatepost.invalid/gatepost

go 1.24

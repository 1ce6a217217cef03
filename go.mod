module idp

go 1.26.0

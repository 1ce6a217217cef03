package shell

import _ "embed"

//go:embed layout.html
var layout string

//go:embed parts.html
var parts string

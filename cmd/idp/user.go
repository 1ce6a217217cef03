package main

type userCmd struct {
	Import userImportCmd `cmd:"" help:"Make accounts for the people in a file."`
	Export userExportCmd `cmd:"" help:"Write all people into a file, in the form that import reads."`
}

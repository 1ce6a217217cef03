package applications

import (
	"idp/store"
	"idp/web/console/shell"
)

// framework is a card of the first step: what an application is built with.
type framework struct {
	Key, Name, About string
	Type             store.ClientType
	// Alg signs its ID tokens: what its library takes without being told. Logto's libraries
	// take any; those that were made with Auth0 in mind take RS256 only.
	Alg string
	// Where its usual local server wants people back: after a sign-in, and after a sign-out.
	Callback, Out string
	// The end of a redirect URI that its library insists on, "" if the app chooses.
	Insists string
	Steps   []step
}

// step is a piece of code to paste.
type step struct {
	Title string // "" for the name of the file
	Save  string // the file to save it as; "" for a command
	From  string // of code/
}

// Titles of steps that are no files.
var (
	install = shell.N("Install")
	run     = shell.N("Run it, then open the app")
	token   = shell.N("Get a token")
	call    = shell.N("Call the API with it")
)

// frameworks are the cards, in their order.
var frameworks = []framework{
	{
		Key: "flask", Name: "Flask", About: shell.N("Python, with Logto’s library"), Type: store.Traditional, Alg: "ES256",
		Callback: "http://localhost:5000/callback", Out: "http://localhost:5000/",
		Steps: []step{{install, "", "flask/install.sh"}, {"", ".env", "env"}, {"", "app.py", "flask/app.py"}, {run, "", "flask/run.sh"}},
	},
	{
		Key: "express", Name: "Express", About: shell.N("Node.js, with Logto’s library"), Type: store.Traditional, Alg: "ES256",
		Callback: "http://localhost:3000/logto/sign-in-callback", Out: "http://localhost:3000", Insists: "/logto/sign-in-callback",
		Steps: []step{{install, "", "express/install.sh"}, {"", ".env", "env"}, {"", "app.mjs", "express/app.mjs"}, {run, "", "express/run.sh"}},
	},
	{
		Key: "next", Name: "Next.js", About: shell.N("App router, with Logto’s library"), Type: store.Traditional, Alg: "ES256",
		Callback: "http://localhost:3000/callback", Out: "http://localhost:3000", Insists: "/callback",
		Steps: []step{
			{install, "", "next/install.sh"},
			{"", ".env.local", "env"}, {"", "app/logto.js", "next/logto.js"}, {"", "app/actions.js", "next/actions.js"}, {"", "app/page.js", "next/page.js"},
			{"", "app/callback/route.js", "next/route.js"}, {run, "", "next/run.sh"},
		},
	},
	{
		Key: "go", Name: "Go", About: shell.N("With coreos/go-oidc"), Type: store.Traditional, Alg: "RS256",
		Callback: "http://localhost:8080/callback", Out: "http://localhost:8080/",
		Steps: []step{{install, "", "go/install.sh"}, {"", ".env", "env"}, {"", "main.go", "go/main.go.txt"}, {run, "", "go/run.sh"}},
	},
	{
		Key: "oidc", Name: "OpenID Connect", About: shell.N("Any other library, like Auth0’s or Authlib"), Type: store.Traditional, Alg: "RS256",
		Callback: "http://localhost:3000/callback", Out: "http://localhost:3000",
		Steps: []step{
			{"", ".env", "env"},
			{shell.N("app.mjs, with Auth0’s express-openid-connect"), "app.mjs", "oidc/app.mjs"}, {shell.N("Or app.py, with Authlib and Flask"), "app.py", "oidc/app.py"}, {run, "", "oidc/run.sh"},
		},
	},
	{
		Key: "spa", Name: shell.N("Single-page app"), About: shell.N("React, Vue or plain JavaScript: all of it runs in the browser"), Type: store.SPA, Alg: "ES256",
		Callback: "http://localhost:5173/callback", Out: "http://localhost:5173",
		Steps: []step{{install, "", "spa/install.sh"}, {"", "index.html", "spa/index.html.txt"}, {"", "main.js", "spa/main.js"}, {run, "", "spa/run.sh"}},
	},
	{
		Key: "native", Name: shell.N("Native app"), About: shell.N("iOS, Android, desktop or command line"), Type: store.Native, Alg: "ES256",
		Callback: "com.example.app://callback\nhttp://127.0.0.1/callback", Out: "com.example.app://signed-out",
		Steps: []step{
			{shell.N("iOS and macOS, with AppAuth"), "SignIn.swift", "native/SignIn.swift"}, {shell.N("Android, with AppAuth"), "SignIn.kt", "native/SignIn.kt"},
			{shell.N("Command line: main.go"), "main.go", "native/main.go.txt"},
		},
	},
	{
		Key: "machine", Name: shell.N("Machine to machine"), About: shell.N("A program that calls an API in its own name: nobody signs in"), Type: store.Machine, Alg: "ES256",
		Steps: []step{{"", ".env", "env"}, {token, "", "machine/token.sh"}, {call, "", "machine/call.sh"}},
	},
}

// frameworkOf finds a card by its key, among those for a type of client ("" for all).
func frameworkOf(key string, t store.ClientType) *framework {
	for i := range frameworks {
		if f := &frameworks[i]; f.Key == key && (t == "" || f.Type == t) {
			return f
		}
	}
	return nil
}

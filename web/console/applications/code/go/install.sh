go mod init app
go get github.com/coreos/go-oidc/v3 golang.org/x/oauth2

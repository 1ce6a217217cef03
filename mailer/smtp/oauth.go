package smtp

import (
	"cmp"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/jwt"
)

// oauthConfig is nodemailer's: an access token, a refresh token to get one, or the key of
// a Google service account.
type oauthConfig struct {
	ClientID      string          `json:"clientId"`
	ClientSecret  string          `json:"clientSecret"`
	RefreshToken  string          `json:"refreshToken"`
	AccessToken   string          `json:"accessToken"`
	Expires       int64           `json:"expires"`   // of accessToken, ms since 1970
	AccessURL     string          `json:"accessUrl"` // where tokens come from; Google unless set
	ServiceClient string          `json:"serviceClient"`
	PrivateKey    json.RawMessage `json:"privateKey"`
}

const (
	google     = "https://oauth2.googleapis.com/token"
	gmailScope = "https://mail.google.com/"
)

func (o *oauthConfig) given() bool {
	return o.RefreshToken != "" || o.AccessToken != "" || o.ServiceClient != ""
}

// source gives the function that answers a token for user, from memory while it lives.
func (o *oauthConfig) source(user string) (func(context.Context) (string, error), error) {
	tokens := cmp.Or(o.AccessURL, google)
	if u, err := url.Parse(tokens); err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
		return nil, errors.New("auth.accessUrl has to start with https://")
	}
	// The client lives as long as the connector: a token is no matter of one mail.
	ctx := context.WithValue(context.Background(), oauth2.HTTPClient, &http.Client{Timeout: 3 * time.Second})
	switch {
	case o.ServiceClient != "":
		key, err := o.key()
		if err != nil {
			return nil, err
		}
		c := jwt.Config{Email: o.ServiceClient, PrivateKey: key, Subject: user, Scopes: []string{gmailScope}, TokenURL: tokens}
		return bearer(c.TokenSource(ctx)), nil
	case o.RefreshToken != "":
		c := oauth2.Config{ClientID: o.ClientID, ClientSecret: o.ClientSecret, Endpoint: oauth2.Endpoint{TokenURL: tokens}}
		first := &oauth2.Token{AccessToken: o.AccessToken, RefreshToken: o.RefreshToken}
		first.Expiry = time.UnixMilli(o.Expires) // 1970, so replaced at once, unless told
		return bearer(c.TokenSource(ctx, first)), nil
	case o.AccessToken != "":
		return bearer(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: o.AccessToken})), nil
	}
	return nil, errors.New("auth of type oauth2 needs refreshToken, accessToken, or serviceClient and privateKey")
}

func (o *oauthConfig) key() ([]byte, error) {
	var text string
	if err := json.Unmarshal(o.PrivateKey, &text); err != nil {
		return nil, errors.New("auth.privateKey has to be a PEM text without a passphrase")
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil || strings.Contains(block.Type, "ENCRYPTED") {
		return nil, errors.New("auth.privateKey has to be a PEM text without a passphrase")
	}
	return []byte(text), nil
}

// errToken is a refusal of the token server: an operator has to act.
type errToken struct{ err error }

func (e errToken) Error() string { return e.err.Error() }

// errTokenAway is a token server that gives no sensible answer; its error may hold secrets.
var errTokenAway = errors.New("the token server could not be reached")

func bearer(source oauth2.TokenSource) func(context.Context) (string, error) {
	return func(context.Context) (string, error) {
		token, err := source.Token()
		var refused *oauth2.RetrieveError
		switch {
		case errors.As(err, &refused) && refused.Response.StatusCode < 500:
			return "", errToken{fmt.Errorf("the token server answered %s %s", refused.Response.Status, refused.ErrorCode)}
		case err != nil:
			return "", errTokenAway
		}
		return token.AccessToken, nil
	}
}

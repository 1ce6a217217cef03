package doctor

import (
	"encoding/base64"
)

// maxCookie is what browsers keep of one cookie, name and attributes included: 4096
// bytes, of which Flask leaves 4093 for the value.
const maxCookie = 4093

// signatureSize is the length of a signature in bytes (RFC 7518, RFC 8032).
var signatureSize = map[string]int{"ES256": 64, "EdDSA": 64, "ES384": 96, "RS256": 256}

// CookieSize estimates what an app keeps when it holds the tokens of a sign-in in a
// cookie, as Logto's Flask sample (signed) and its Express and Next SDKs (encrypted)
// do: the ID token of a person with a name and an address on the long side, the access
// token and the refresh token.
func (a App) CookieSize() (signed, encrypted int) {
	claims := len(`{"iss":"/oidc","sub":"","aud":"","exp":1700000000,"iat":1700000000,"auth_time":1700000000,"amr":["otp"],"sid":"","at_hash":"",`+
		`"name":"","created_at":1700000000,"updated_at":1700000000,"email":"","email_verified":true}`) +
		len(a.Endpoint.String()) + len(a.Client.ID) + 12 + // sub
		22 + 22 + // sid, at_hash
		40 + 60 // name, address
	header := len(`{"alg":"","typ":"JWT","kid":""}`) + len(a.Client.IDTokenAlg) + 43
	idToken := base64url(header) + 1 + base64url(claims) + 1 + base64url(signatureSize[a.Client.IDTokenAlg])
	opaque := base64url(16 + 32) // a grant's id and 256 random bits
	kept := len(`{"idToken":"","refreshToken":"","accessToken":"{\"@openid offline_access profile email\":{\"token\":\"\",\"scope\":\"openid offline_access profile email\",\"expiresAt\":1700000000}}"}`) +
		idToken + 2*opaque
	signed = kept + 64 // itsdangerous: time, signature, and base64 of compressed text, which comes out about as long (measured)
	encrypted = base64.StdEncoding.EncodedLen(kept+28) + 40
	return signed, encrypted
}

func base64url(n int) int { return base64.RawURLEncoding.EncodedLen(n) }

func (a App) checkCookie(tell Tell) {
	const check = "cookie size"
	signed, encrypted := a.CookieSize()
	switch {
	case !a.Client.Type.Confidential() || len(a.Client.RedirectURIs) == 0:
	case signed > maxCookie || encrypted > maxCookie:
		tell.Warn(check, "Keep the session on the server, or sign with ES256: idp client create --id-token-alg ES256 …",
			"an app that keeps its tokens in a cookie needs some %d bytes (encrypted %d), and browsers keep %d", signed, encrypted, maxCookie)
	default:
		tell.OK(check, "some %d bytes if the app keeps its tokens in a cookie (encrypted %d), of %d that browsers keep", signed, encrypted, maxCookie)
	}
}

package op

import (
	"encoding/json"
	"fmt"

	"idp/store"
)

// idClaims are the claims of an ID token (OpenID Connect Core section 2), made by
// hand: both Logto SDKs refuse an aud that is an array.
type idClaims struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience string   `json:"aud"`
	Expires  int64    `json:"exp"`
	IssuedAt int64    `json:"iat"`
	AuthTime int64    `json:"auth_time"`
	Nonce    string   `json:"nonce,omitempty"`
	AMR      []string `json:"amr"` // RFC 8176; never mfa for an emailed code
	Session  string   `json:"sid"`
	AtHash   string   `json:"at_hash"`
	personClaims
	Roles *[]string `json:"roles,omitempty"`
}

func (p *Provider) idToken(sign *signer, g store.Grant, accessToken string) (string, error) {
	now := p.store.Now()
	claims, err := json.Marshal(idClaims{
		Issuer: p.issuer, Subject: g.User.ID, Audience: g.Client,
		Expires: now.Add(p.config.IDTokenTTL).Unix(), IssuedAt: now.Unix(), AuthTime: g.AuthTime.Unix(),
		Nonce: g.Nonce, AMR: g.AMR, Session: store.SessionID(g.Session), AtHash: sign.halfHash(accessToken),
		personClaims: claimsOf(g.User, g.Scopes), Roles: rolesOf(g),
	})
	if err != nil {
		return "", fmt.Errorf("write ID token: %w", err)
	}
	return sign.token(sign.id, claims)
}

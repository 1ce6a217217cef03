package op

import (
	"idp/keyring/flat"
	"idp/store"
)

// written is what encoding/json makes of the contents of a request without a state of its
// own kind, at a tenth of the cost: a sign-in writes its request once and reads it three times.
func written(req *store.AuthRequest) []byte {
	var q flat.Writer
	q.Array("id", req.ID[:])
	q.String("c", req.Client)
	q.String("u", req.RedirectURI)
	q.OmitString("s", req.State)
	q.OmitBool("hs", req.HasState)
	q.OmitString("n", req.Nonce)
	q.OmitString("p", req.CodeChallenge)
	q.OmitStrings("o", req.Scopes)
	q.OmitStrings("rs", req.Resources)
	q.OmitString("f", string(req.Screen))
	q.OmitString("h", req.LoginHint)
	q.OmitStrings("l", req.UILocales)
	q.Time("t", req.StartedAt)
	q.OmitBool("co", req.Console)
	q.OmitString("ot", req.OneTimeToken)
	q.OmitTime("aa", req.AuthAfter)
	if req.MaxAge != nil {
		q.Int("ma", *req.MaxAge)
	}
	q.OmitString("sub", req.Subject)
	var c flat.Writer
	c.Int("v", 1)
	c.Object("q", q.Bytes())
	return c.Bytes()
}

// read reads what [written] wrote; false for all else, which may be good all the same.
func read(text []byte, req *store.AuthRequest) bool {
	version := int64(0)
	known := flat.Read(text, func(name []byte, r *flat.Reader) {
		switch string(name) {
		case "v":
			version = r.Int()
		case "q":
			r.Object(func(name []byte, r *flat.Reader) { readField(name, r, req) })
		default:
			r.Fail()
		}
	})
	return known && version == 1
}

func readField(name []byte, r *flat.Reader, req *store.AuthRequest) {
	switch string(name) {
	case "id":
		r.Array(req.ID[:])
	case "c":
		req.Client = r.String()
	case "u":
		req.RedirectURI = r.String()
	case "s":
		req.State = r.String()
	case "hs":
		req.HasState = r.Bool()
	case "n":
		req.Nonce = r.String()
	case "p":
		req.CodeChallenge = r.String()
	case "o":
		req.Scopes = r.Strings()
	case "rs":
		req.Resources = r.Strings()
	case "f":
		req.Screen = store.Screen(r.String())
	case "h":
		req.LoginHint = r.String()
	case "l":
		req.UILocales = r.Strings()
	case "t":
		req.StartedAt = r.Time()
	case "co":
		req.Console = r.Bool()
	case "ot":
		req.OneTimeToken = r.String()
	case "aa":
		req.AuthAfter = r.Time()
	case "ma":
		age := r.Int()
		req.MaxAge = &age
	case "sub":
		req.Subject = r.String()
	default: // of a release after this one
		r.Fail()
	}
}

package storetest

import (
	"bytes"
	"testing"

	"idp/store"
)

// A rotation of the secret takes the place of what still stands, never of what was changed
// meanwhile, and an address that is there under both hashes is there once afterwards.
func testReseal(t *testing.T, f *fixture) {
	f.no(f.db.SetConnector(f.ctx(), store.Connector{ID: "smtp", Sealed: []byte("old")}))
	f.no(f.db.SetConnector(f.ctx(), store.Connector{ID: "ses", Sealed: []byte("old, too")}))
	values, err := f.db.SealedValues(f.ctx(), store.SealedConnectors, nil, 1)
	f.no(err)
	if len(values) != 1 || string(values[0].Key) != "ses" || string(values[0].Bound) != "ses" || string(values[0].Value) != "old, too" {
		t.Fatalf("%q", values)
	}
	more, err := f.db.SealedValues(f.ctx(), store.SealedConnectors, values[0].Key, 9)
	f.no(err)
	if len(more) != 1 || string(more[0].Key) != "smtp" {
		t.Fatalf("%q", more)
	}
	f.no(f.db.SetConnector(f.ctx(), store.Connector{ID: "smtp", Sealed: []byte("by an admin")}))
	var change []store.Resealed
	for _, v := range append(values, more...) {
		change = append(change, store.Resealed{Key: v.Key, Was: v.Value, Is: []byte("new")})
	}
	f.no(f.db.Reseal(f.ctx(), store.SealedConnectors, change))
	all, err := f.db.FreshConnectors(f.ctx())
	f.no(err)
	for _, c := range all {
		if want := map[string]string{"ses": "new", "smtp": "by an admin"}[c.ID]; string(c.Sealed) != want {
			t.Errorf("%s is %q, want %q", c.ID, c.Sealed, want)
		}
	}

	was, is, other := random(), random(), random()
	for _, h := range []store.Hash{was, is, other} {
		f.no(f.db.Suppress(f.ctx(), store.Suppression{Address: h, Recipient: []byte("old"), Reason: store.ReasonManual}, store.Hash{}))
	}
	otherIs := random()
	f.no(f.db.Reseal(f.ctx(), store.SealedSuppressions, []store.Resealed{
		{Key: was[:], Was: []byte("old"), Is: []byte("new"), HashIs: is}, {Key: other[:], Was: []byte("old"), Is: []byte("new"), HashIs: otherIs}}))
	left, err := f.db.Suppressions(f.ctx(), store.SuppressionFilter{Limit: 9})
	f.no(err)
	if len(left) != 2 || !bytes.Contains(append(left[0].Address[:], left[1].Address[:]...), otherIs[:]) || !bytes.Contains(append(left[0].Address[:], left[1].Address[:]...), is[:]) {
		t.Errorf("%d addresses are on the list: %+v", len(left), left)
	}

	// Known browsers go to the new hash; one that signed in meanwhile stays what it is.
	a, b := random(), random()
	f.exec(`INSERT INTO device (address, browser, expires_at) VALUES ($1, $2, 5)`, was[:], a[:])
	f.exec(`INSERT INTO device (address, browser, expires_at) VALUES ($1, $2, 5)`, was[:], b[:])
	f.exec(`INSERT INTO device (address, browser, expires_at) VALUES ($1, $2, 7)`, is[:], b[:])
	f.no(f.db.RehashDevices(f.ctx(), []store.Rehashed{{Was: was, Is: is}}))
	if n := f.count(`SELECT COUNT(*) FROM device WHERE address = $1`, is[:]); n != 2 {
		t.Errorf("%d browsers under the new hash, want 2", n)
	}

	f.want(f.db.ChangeSecret(f.ctx(), random(), random()), store.Conflict)
	f.no(f.db.CheckSecret(f.ctx(), was, nil))
	f.no(f.db.ChangeSecret(f.ctx(), was, is))
	f.no(f.db.ChangeSecret(f.ctx(), was, is)) // its answer was lost
	f.want(f.db.CheckSecret(f.ctx(), was, nil), store.Conflict)
	if under, err := f.db.UnderSecret(f.ctx(), is); err != nil || !under {
		t.Errorf("under the new secret: %v %v", under, err)
	}
}

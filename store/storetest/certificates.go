package storetest

import (
	"bytes"
	"testing"
	"time"

	"idp/store"
)

func testCertificates(t *testing.T, f *fixture) {
	_, err := f.db.Certificate(f.ctx(), "id.example.com")
	f.want(err, store.NotFound)
	f.no(f.db.KeepCertificate(f.ctx(), "id.example.com", []byte{1, 0, 2}))
	f.no(f.db.KeepCertificate(f.ctx(), "id.example.com", []byte{3, 0, 4})) // renewed
	f.no(f.db.KeepCertificate(f.ctx(), "acme_account+key", []byte{5}))
	got, err := f.db.Certificate(f.ctx(), "id.example.com")
	if f.no(err); !bytes.Equal(got, []byte{3, 0, 4}) {
		t.Errorf("%x", got)
	}
	f.no(f.db.DeleteCertificate(f.ctx(), "id.example.com"))
	f.no(f.db.DeleteCertificate(f.ctx(), "id.example.com"))
	_, err = f.db.Certificate(f.ctx(), "id.example.com")
	f.want(err, store.NotFound)

	// An answer that a process left behind goes after a day; account and certificates stay.
	f.no(f.db.KeepCertificate(f.ctx(), "id.example.com+token", []byte{6}))
	f.exec(`UPDATE certificate SET kept_at = $1`, f.db.Now().Add(-25*time.Hour).UnixMicro())
	f.no(f.db.KeepCertificate(f.ctx(), "id.example.com", []byte{7}))
	_, err = f.db.Certificate(f.ctx(), "id.example.com+token")
	f.want(err, store.NotFound)
	_, err = f.db.Certificate(f.ctx(), "acme_account+key")
	f.no(err)
}

package storetest

import (
	"bytes"
	"testing"

	"idp/store"
)

func testPictures(t *testing.T, f *fixture) {
	const url = "https://shop.example/logo.png"
	_, err := f.db.Picture(f.ctx(), "aa")
	f.want(err, store.NotFound)
	if hash, err := f.db.PictureAt(f.ctx(), url); hash != "" || err != nil {
		t.Fatal(hash, err)
	}
	first := store.Picture{Hash: "aa", Type: "image/png", Data: []byte("\x89PNG\x00\xff")}
	f.no(f.db.KeepPicture(f.ctx(), first, url))
	f.no(f.db.KeepPicture(f.ctx(), first, url)) // once more is the same
	f.no(f.db.KeepPicture(f.ctx(), first, "https://shop.example/same.png"))
	got, err := f.db.Picture(f.ctx(), "aa")
	f.no(err)
	if got.Type != first.Type || !bytes.Equal(got.Data, first.Data) {
		t.Errorf("%+v", got)
	}
	f.no(f.db.KeepPicture(f.ctx(), store.Picture{Hash: "bb", Type: "image/gif", Data: []byte("GIF")}, url))
	for at, want := range map[string]string{url: "bb", "https://shop.example/same.png": "aa", "https://shop.example/": ""} {
		if hash, err := f.db.PictureAt(f.ctx(), at); hash != want || err != nil {
			t.Errorf("%s: %q, %v", at, hash, err)
		}
	}
	if n := f.count(`SELECT COUNT(*) FROM picture`); n != 2 {
		t.Errorf("%d pictures", n)
	}
}

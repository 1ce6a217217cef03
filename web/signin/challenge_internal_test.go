package signin

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"idp/store"
)

// c is written and read as encoding/json does it, which the releases before and after do.
func TestChallengeIsWhatJSONWrites(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 22, 0, 0, 120000000, time.UTC)
	least := challenge{V: 1, ID: store.NewID(now), Request: store.NewID(now), Purpose: store.PurposeSignIn, Email: "ada@example.com", ExpiresAt: now, Sends: 1}
	full := least
	full.V, full.Purpose, full.NextSend, full.SentAt, full.Agreed, full.Bounced, full.Length = 3, store.PurposeConsole, now, now.Add(time.Second), true, true, 26
	if v := reflect.ValueOf(full); func() bool {
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				return true
			}
		}
		return false
	}() {
		t.Fatal("a field is new: teach written, readChallenge and this test about it")
	}
	odd := full
	odd.Email = "o'brien&sons@example.com"
	for _, c := range []challenge{least, full, odd} {
		by, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		text := c.written()
		if plain := !bytes.ContainsRune(by, '\\'); plain && !bytes.Equal(text, by) {
			t.Errorf("written %s\nby JSON %s", text, by)
		}
		var back challenge
		if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back, c) {
			t.Errorf("the release before reads %+v %v", back, err)
		}
		if got, known := readChallenge(text); !known || !reflect.DeepEqual(got, c) {
			t.Errorf("read %+v %v", got, known)
		}
	}
	if _, known := readChallenge(append(full.written()[:10], `"new":1}`...)); known {
		t.Error("a field that is not known is passed over")
	}
}

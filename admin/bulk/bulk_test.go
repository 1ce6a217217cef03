package bulk_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"idp/admin/bulk"
	"idp/audit"
)

const csvFile = "\xef\xbb\xbfid,email,name,username,avatar,profile,customData,createdAt,suspended,roles\r\n" +
	`aaaaaaaaaaaa,Ada@Example.com,"Ada ""½"" 日本",ada,https://example.com/a.png,"{""givenName"":""Ada""}","{""a"": [1, 2]}",1600000000123,true,"[""Writer; editor"",""Plain""]"` + "\r\n" +
	"bbbbbbbbbbbb,bob@example.com,,,,,,2020-01-02T03:04:05.000006Z,,Plain;Reader\r\n" +
	"\r\n" +
	",carl@example.com,Carl,,,,,,no,[]"

// A file goes in, out and in again, in either form, and says the same.
func TestThereAndBack(t *testing.T) {
	t.Parallel()
	f := setup(t)
	if c, report := f.run(bulk.CSV, csvFile, true); c.Made != 3 || len(report) != 0 || f.people(bulk.Lines) != "" {
		t.Errorf("dry: %+v, %v", c, report)
	}
	if c, report := f.run(bulk.CSV, csvFile, false); c.Made != 3 || len(report) != 0 {
		t.Fatalf("%+v, %v", c, report)
	}
	if c, report := f.run(bulk.CSV, csvFile, false); c.There != 3 || c.Made != 0 || len(report) != 0 {
		t.Errorf("again: %+v, %v", c, report)
	}
	lines := f.people(bulk.Lines)
	for _, want := range []string{
		`{"id":"aaaaaaaaaaaa","email":"ada@example.com","name":"Ada \"½\" 日本","username":"ada","avatar":"https://example.com/a.png","profile":{"givenName":"Ada"},"customData":{"a":[1,2]},"createdAt":"2020-09-13T12:26:40.123Z","suspended":true,"roles":["Plain","Writer; editor"]}`,
		`{"id":"bbbbbbbbbbbb","email":"bob@example.com","createdAt":"2020-01-02T03:04:05.000006Z","suspended":false,"roles":["Plain","Reader"]}`,
		`"email":"carl@example.com","name":"Carl"`, `"roles":[]`,
	} {
		if !strings.Contains(lines, want) {
			t.Errorf("no %s in\n%s", want, lines)
		}
	}
	for _, format := range []bulk.Format{bulk.CSV, bulk.Lines} {
		file := f.people(format)
		if c, report := f.run(format, file, false); c.There != 3 || c.Made != 0 || len(report) != 0 {
			t.Errorf("%s: %+v, %v", format, c, report)
		}
		other := setup(t)
		if c, report := other.run(format, file, false); c.Made != 3 || len(report) != 0 || other.people(format) != file {
			t.Errorf("%s elsewhere: %+v, %v\n%s\n%s", format, c, report, file, other.people(format))
		}
	}
}

// Logto's own answer is read as it is; who is not told of roles has those of a new account.
func TestLogto(t *testing.T) {
	t.Parallel()
	f := setup(t)
	c, report := f.run(bulk.Lines, ` [
{"id":"izu6rm8p5hqe","username":null,"primaryEmail":"ada@example.com","primaryPhone":null,"name":"Ada","avatar":null,"customData":{},
 "identities":{"google":{"userId":"1","details":{"email":"x"}}},"lastSignInAt":1700000000000,"createdAt":1690000000000,"updatedAt":1,
 "profile":{"address":{"country":"DE"}},"applicationId":"a","isSuspended":false,"hasPassword":true},
{"id":"izu6rm8p5hqf","primaryEmail":null,"primaryPhone":"491701234567","isSuspended":true,"createdAt":1690000000000},
{"id":"izu6rm8p5hqg","primaryEmail":"eve@example.com","isSuspended":true,"createdAt":1690000000000}]`, false)
	if c.Made != 2 || len(report) != 1 || report[0].Line != 5 || report[0].ID != "izu6rm8p5hqf" || report[0].Field != "email" {
		t.Errorf("%+v, %v", c, report)
	}
	want := `{"id":"izu6rm8p5hqe","email":"ada@example.com","name":"Ada","profile":{"address":{"country":"DE"}},"customData":{},"createdAt":"2023-07-22T04:26:40Z","suspended":false,"roles":["Reader"]}
{"id":"izu6rm8p5hqg","email":"eve@example.com","createdAt":"2023-07-22T04:26:40Z","suspended":true,"roles":["Reader"]}
`
	if got := f.people(bulk.Lines); got != want {
		t.Errorf("%s", got)
	}
}

// Every line that is wrong is named, and spoils no other.
func TestRefusals(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.run(bulk.CSV, "id,email,username\naaaaaaaaaaaa,ada@example.com,ada\n", false)
	long := strings.Repeat("x", 10<<20)
	for _, c := range []struct{ line, want string }{
		{`{"email":"ok@example.com"`, "line 1 is no JSON object"},
		{`"text"`, "line 1 is no JSON object"},
		{`null`, "line 1 is no JSON object"},
		{`{"email":"ok@example.com","name":"` + long + `"}`, "line 1 is longer than 1 MiB"},
		{"{\"email\":\"ok@example.com\",\"name\":\"\xff\"}", "line 1 is no UTF-8"},
		{`{"email":"ok@example.com","password":"x"}`, "line 1: password is no field of a person"},
		{`{"Email":"ok@example.com"}`, "line 1: Email is no field of a person"},
		{`{"name":"Ada"}`, "line 1: email is missing"},
		{`{"email":"ada"}`, "line 1: email is no email address"},
		{`{"email":7}`, "line 1: email is no text"},
		{`{"email":"new@example.com","id":"aaaaaaaaaaaa"}`, "line 1: id is the account of another address, ada@example.com"},
		{`{"email":"ada@example.com","id":"aaaaaaaaaaab"}`, "line 1: email is the address of the account aaaaaaaaaaaa"},
		{`{"email":"new@example.com","username":"ada"}`, "line 1: username is that of the account aaaaaaaaaaaa"},
		{`{"email":"ada@example.com","name":"Ada L."}`, "line 1: name is not what the account aaaaaaaaaaaa has, which is there already and stays as it is"},
		{`{"email":"ada@example.com","suspended":true}`, "line 1: suspended is not what the account aaaaaaaaaaaa has, which is there already and stays as it is"},
		{`{"email":"new@example.com","id":"short"}`, "line 1: id is not 12 characters of 0-9, A-Z, a-z"},
		{`{"email":"new@example.com","username":"1x"}`, "line 1: username is not made of letters of ASCII, digits and _, the first no digit, 128 at most"},
		{`{"email":"new@example.com","name":"a\u0000b"}`, "line 1: name has a control character (U+0000)"},
		{`{"email":"new@example.com","avatar":"javascript:alert(1)"}`, "line 1: avatar is no http or https URL"},
		{`{"email":"new@example.com","profile":{"shoe":"9"}}`, `line 1: profile has the unknown field "shoe", which no profile has`},
		{`{"email":"new@example.com","profile":[]}`, "line 1: profile is no JSON object"},
		{`{"email":"new@example.com","customData":"x"}`, "line 1: customData is no JSON object"},
		{`{"email":"new@example.com","customData":{"x":"` + strings.Repeat("x", 70_000) + `"}}`, "line 1: customData is longer than 65536 bytes"},
		{`{"email":"new@example.com","createdAt":"yesterday"}`, "line 1: createdAt is no time: write it like 2024-12-31T23:59:59Z, or as milliseconds since 1970"},
		{`{"email":"new@example.com","createdAt":32503680000000}`, "line 1: createdAt is in the future"},
		{`{"email":"new@example.com","suspended":"maybe"}`, "line 1: suspended is neither true nor false"},
		{`{"email":"new@example.com","roles":["Nobody"]}`, `line 1: roles there is no role "Nobody" that people can have`},
		{`{"email":"new@example.com","roles":"Reader"}`, "line 1: roles is no list of names"},
		{`{"email":"ok0@example.com"}` + "\n" + `{"email":"OK0@example.com"}`, "line 2: email is that of line 1"},
	} {
		_, report := f.run(bulk.Lines, c.line+"\n{\"email\":\"rest@example.com\"}\n", true)
		if len(report) != 1 || report[0].Error() != c.want {
			t.Errorf("%.80s: %v, want %s", c.line, report, c.want)
		}
	}
}

// Quotes that do not match take no more with them than they have to, and never make a
// person of the text of a field.
func TestQuotes(t *testing.T) {
	t.Parallel()
	f := setup(t)
	c, report := f.run(bulk.CSV, "email,name\n"+
		"a@example.com,\"two\nlines\"\n"+ // 2 and 3: a name has no control character
		"b@example.com,5\" pipe\n"+ // 4
		"c@example.com,\"begun\nevil@example.com,x\n"+ // 5 to 7
		"d@example.com,\"D\"\n"+
		"e@example.com,E,more\n"+ // 8
		"\"f@example.com\",\"F \"\"f\"\"\"\n"+ // 9 is right
		"g@example.com,\""+strings.Repeat("x", 2<<20)+"\"\n"+ // 10
		"h@example.com,H\n"+ // 11 is right
		"i@example.com,\"never closed\nevil2@example.com,x\n", false)
	var got []string
	for _, r := range report {
		got = append(got, r.Error())
	}
	want := []string{
		"line 4 has quotes that do not match",
		"line 5 to line 7 is one record whose quotes do not match",
		"line 8 has 3 fields; there are 2 columns",
		"line 10 is longer than 1 MiB",
		"line 12 a quote is never closed: this line, and all that follow, were not read",
		"line 2: name has a control character (U+000A)",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) || c.Made != 2 {
		t.Errorf("%+v\n%s", c, strings.Join(got, "\n"))
	}
	if people := f.people(bulk.Lines); strings.Contains(people, "evil") {
		t.Errorf("%s", people)
	}
}

// A cell holds one object, and nothing behind it.
func TestCells(t *testing.T) {
	t.Parallel()
	f := setup(t)
	_, report := f.run(bulk.CSV, "email,profile\na@example.com,\"{\"\"givenName\"\":\"\"A\"\"}}\"\n", true)
	if len(report) != 1 || report[0].Error() != "line 2: profile is no JSON object" {
		t.Errorf("%v", report)
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"":                                "the file is empty: its first line holds the names of the columns",
		"id,name\n":                       "there is no column email",
		"email,Email,pass word\n":         `there is no field "Email", "pass word"`,
		"email,email\n":                   `the column "email" is there twice`,
		"\xff\xfee\x00":                   "the file is UTF-16: save it as UTF-8",
		"\"email\n":                       "the names of the columns cannot be read: a quote is never closed: this line, and all that follow, were not read",
		strings.Repeat("e", 2<<20) + "\n": "the names of the columns cannot be read: is longer than 1 MiB",
	} {
		if _, err := bulk.NewReader(strings.NewReader(file), bulk.CSV, false); err == nil || err.Error() != want {
			t.Errorf("%.20q: %v", file, err)
		}
	}
	r, err := bulk.NewReader(strings.NewReader("email,shoe\na@example.com,9\n"), bulk.CSV, true)
	if err != nil {
		t.Fatal(err)
	}
	if n, line, err := r.Next(); err != nil || n.Email != "a@example.com" || line != 2 || r.Passed["shoe"] != 1 {
		t.Errorf("%+v, %d, %v, %v", n, line, err, r.Passed)
	}
	if _, _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
	for file, want := range map[string]int{"": 0, "[]": 0, " [ ] \n": 0, "[{\"email\":\"a@example.com\"}": 1, "[{\"email\":\"a@example.com\"}, 7, {}]": 3} {
		r, err := bulk.NewReader(strings.NewReader(file), bulk.Lines, false)
		n := 0
		for err == nil || n > 0 && n < 5 {
			if _, _, err = r.Next(); errors.Is(err, io.EOF) {
				break
			}
			n++
		}
		if n != want {
			t.Errorf("%q: %d records, want %d: %v", file, n, want, err)
		}
	}
}

// An import that is stopped keeps what it has made, and goes on when it is run again.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	f := setup(t)
	var file strings.Builder
	for n := range 1000 {
		fmt.Fprintf(&file, "{\"email\":\"p%d@example.com\"}\n", n)
	}
	ctx, stop := context.WithCancel(t.Context())
	im := &bulk.Importer{Service: f.admin, By: audit.Command(), Step: func(c bulk.Counts) {
		if c.Made >= 500 {
			stop()
		}
	}}
	r, err := bulk.NewReader(strings.NewReader(file.String()), bulk.Lines, false)
	f.must(err)
	before, err := im.Run(ctx, r)
	if err == nil || before.Made < 500 || before.Made == 1000 {
		t.Fatalf("stopped: %+v, %v", before, err)
	}
	if after, report := f.run(bulk.Lines, file.String(), false); after.There != before.Made || after.Made != 1000-before.Made || len(report) != 0 {
		t.Errorf("again: %+v after %+v, %v", after, before, report)
	}
}

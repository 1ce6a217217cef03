package wire_test

import (
	"encoding/binary"
	"io"
	"net"
	"reflect"
	"testing"
	"time"

	"idp/bench/internal/wire"
)

func message(kind string, body string) string {
	length := binary.BigEndian.AppendUint32(nil, uint32(len(body)+4))
	return kind + string(length) + body
}

func TestCountsStatementsAndRoundTrips(t *testing.T) {
	t.Parallel()
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 1)
	go func() {
		conn, err := server.Accept()
		if err != nil {
			return
		}
		text, _ := io.ReadAll(conn)
		got <- string(text)
	}()
	proxy, _, err := wire.Listen("postgres://me@" + server.Addr().String() + "/db")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { proxy.Close(); server.Close() })

	sent := message("", "\x00\x03\x00\x00user\x00me\x00\x00") +
		message("P", "s1\x00SELECT  $1\n\x00\x00\x00") +
		message("B", "\x00s1\x00rest") + message("E", "\x00\x00\x00\x00\x00") +
		message("B", "\x00s1\x00rest") + message("E", "\x00\x00\x00\x00\x00") +
		message("S", "") +
		message("Q", "COMMIT\x00")
	conn, err := net.Dial("tcp", proxy.Addr())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, sent); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	select {
	case text := <-got:
		if text != sent {
			t.Errorf("passed on %q, want %q", text, sent)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("nothing was passed on")
	}
	want := wire.Counts{Statements: 3, RoundTrips: 2, ByText: map[string]int{"SELECT $1": 2, "COMMIT": 1}}
	if c := proxy.Counts(); !reflect.DeepEqual(c, want) {
		t.Errorf("counted %+v, want %+v", c, want)
	}
}

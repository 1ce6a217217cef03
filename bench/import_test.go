package main

import (
	"bytes"
	"fmt"
	"testing"

	"idp/admin"
	"idp/admin/bulk"
	"idp/audit"
	"idp/keyring"
	"idp/mailer"
)

// BenchmarkImport measures people who come from a CSV file, and the same file again, when
// all of them are there: CPU of the Go process and, apart, of Postgres.
//
//	go test -bench Import -run - -benchtime 100000x ./bench
func BenchmarkImport(b *testing.B) {
	for _, engine := range []string{"sqlite", "postgres"} {
		b.Run(engine, func(b *testing.B) {
			db, used := openStore(b, engine)
			ring, err := keyring.New(make([]byte, keyring.SecretSize))
			must(b, err)
			service, err := admin.New(admin.Deps{Store: db, Book: audit.New(ring, db.Now), Ring: ring, Senders: mailer.Kinds{}})
			must(b, err)
			var files [][]byte // b.N is told anew for each run of what is below
			for _, again := range []bool{false, true} {
				name := map[bool]string{false: "new", true: "again"}[again]
				b.Run(name, func(b *testing.B) {
					if !again {
						files = append(files, peopleFile(len(files), b.N))
					}
					reader, err := bulk.NewReader(bytes.NewReader(files[len(files)-1]), bulk.CSV, false)
					must(b, err)
					im := &bulk.Importer{Service: service, By: audit.Command(), Step: func(bulk.Counts) {}, Refuse: func(r bulk.Refusal) error { return &r }}
					goBefore, err := ownCPU()
					must(b, err)
					pgBefore := used()
					b.ResetTimer()
					n, err := im.Run(b.Context(), reader)
					b.StopTimer()
					must(b, err)
					if !again && n.Made != b.N || again && n.Made > 0 {
						b.Fatalf("%+v of %d", n, b.N)
					}
					goAfter, err := ownCPU()
					must(b, err)
					people := float64(n.Made + n.There)
					b.ReportMetric(float64((goAfter-goBefore).Microseconds())/people, "go-cpu-µs/person")
					b.ReportMetric(float64((used()-pgBefore).Microseconds())/people, "pg-cpu-µs/person")
					b.ReportMetric(people/b.Elapsed().Seconds(), "people/s")
				})
			}
		})
	}
}

// peopleFile makes a file of people who are in no other one.
func peopleFile(file, count int) []byte {
	var b bytes.Buffer
	b.WriteString("id,email,name,createdAt,customData\n")
	for i := range count {
		fmt.Fprintf(&b, "%03d%09d,person%d.%d@example.com,Person %d,%d,\"{\"\"plan\"\":\"\"free\"\",\"\"n\"\":%d}\"\n", file, i, file, i, i, 1_600_000_000_000+i, i)
	}
	return b.Bytes()
}

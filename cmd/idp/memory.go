package main

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"idp/cmd/idp/internal/resident"
)

// collectAt is how much the heap grows, in percent, before it is collected: at Go's 100 a
// sign-in's share of the collections is 7 % of the server's CPU, at 200 half of that, for
// some 10 MB under load (docs/performance.md). GOGC says otherwise.
const collectAt = 200

// boundMemory keeps the heap below the cgroup's limit, if there is one.
func boundMemory() {
	_, _ = memlimit.Set(memlimit.WithProvider(memlimit.FromCgroup)) // without a cgroup limit there is none
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
}

// settled is how long after the start its memory is given back.
const settled = time.Second

// giveBack gives the memory back that only the start needed: migrations and templates
// were read, and half of the program itself.
func giveBack(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(settled):
		runtime.GC() // what pools hold goes at the second collection
		debug.FreeOSMemory()
		_ = resident.Program() // where /proc is not there it stays as it was
	}
}

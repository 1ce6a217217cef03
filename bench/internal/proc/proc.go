// Package proc reads from Linux's /proc what a process has used: CPU time and
// memory (proc(5)).
package proc

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of the times in /proc/PID/stat: USER_HZ, which is 100 on every
// architecture that Go runs Linux on.
const tick = time.Second / 100

// Stat is the part of /proc/PID/stat that is used here.
type Stat struct {
	Parent   int
	Self     time.Duration // user and system time of the process
	Children time.Duration // the same of its children that have ended
}

// Read reads the figures of one process.
func Read(pid int) (Stat, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Stat{}, err
	}
	// The second field is the name in brackets and may hold anything, even brackets.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	const first = 3 // number of fields[0] in proc(5)
	if len(fields) < 17-first+1 {
		return Stat{}, fmt.Errorf("read /proc/%d/stat: %d fields", pid, len(fields))
	}
	number := func(field int) int {
		n, convErr := strconv.Atoi(fields[field-first])
		if convErr != nil {
			err = convErr
		}
		return n
	}
	s := Stat{
		Parent:   number(4),
		Self:     tick * time.Duration(number(14)+number(15)),
		Children: tick * time.Duration(number(16)+number(17)),
	}
	return s, err
}

// Family is the CPU time of a process, of its children that have ended, and of
// those that live: all of Postgres, when pid is its postmaster.
func Family(pid int) (time.Duration, error) {
	top, err := Read(pid)
	if err != nil {
		return 0, err
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0, err
	}
	sum := top.Self + top.Children
	for _, e := range entries {
		id, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		// One that ends between the listing and here is missing for a moment.
		if s, err := Read(id); err == nil && s.Parent == pid {
			sum += s.Self + s.Children
		}
	}
	return sum, nil
}

// Memory gives the resident memory of a process now and at its highest, in bytes.
func Memory(pid int) (now, peak int64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(line, ":")
		kb := strings.TrimSuffix(strings.TrimSpace(value), " kB")
		switch key {
		case "VmRSS":
			now, err = strconv.ParseInt(kb, 10, 64)
		case "VmHWM":
			peak, err = strconv.ParseInt(kb, 10, 64)
		}
		if err != nil {
			return 0, 0, fmt.Errorf("read /proc/%d/status: %w", pid, err)
		}
	}
	return now << 10, peak << 10, nil
}

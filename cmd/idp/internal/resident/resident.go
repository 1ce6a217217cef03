// Package resident gives the kernel back the pages of the program that only its start needed.
package resident

import (
	"bufio"
	"io"
	"strconv"
	"strings"
)

// span is a mapping, from its first address to behind its last.
type span struct{ from, to uintptr }

// programOf reads of /proc/PID/smaps which mappings of the file exe can be dropped without loss: not writable, and
// not written to before they became so, as a linker does with a program that is moved at its start; neither
// in a page that is there, nor in one that was swapped out, which counts as anonymous no more. They are read
// again where they are asked for. What belongs to other files is not ours to judge.
func programOf(smaps io.Reader, exe string) ([]span, error) {
	var (
		found       []span
		current     span
		ours, clean bool
	)
	lines := bufio.NewScanner(smaps)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 {
			continue
		}
		if from, to, ok := strings.Cut(fields[0], "-"); ok { // 00400000-0192e000 r-xp 00000000 fe:01 17 /usr/bin/idp
			first, err := strconv.ParseUint(from, 16, 64)
			if err != nil {
				return nil, err
			}
			behind, err := strconv.ParseUint(to, 16, 64)
			if err != nil {
				return nil, err
			}
			current = span{uintptr(first), uintptr(behind)}
			_, path, named := strings.Cut(lines.Text(), "/") // no field before it has one
			ours, clean = (fields[1] == "r-xp" || fields[1] == "r--p") && named && "/"+path == exe, false
			continue
		}
		switch none := fields[1] == "0"; fields[0] {
		case "Anonymous:":
			clean = none
		case "Swap:": // comes after it
			if ours && clean && none {
				found = append(found, current)
			}
		}
	}
	return found, lines.Err()
}

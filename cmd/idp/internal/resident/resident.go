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

// programOf reads of /proc/PID/smaps which mappings can be dropped without loss: of files, not writable,
// and not written to before they became so, as a linker does with a program that is moved at its start.
// They are read again where they are asked for.
func programOf(smaps io.Reader) ([]span, error) {
	var (
		found   []span
		current span
		mapped  bool
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
			mapped = (fields[1] == "r-xp" || fields[1] == "r--p") && len(fields) > 5 && strings.HasPrefix(fields[5], "/")
			continue
		}
		if fields[0] == "Anonymous:" && mapped && fields[1] == "0" {
			found = append(found, current)
		}
	}
	return found, lines.Err()
}

package resident

import (
	"errors"
	"os"
	"syscall"
)

// Program takes the program's code and constants out of this process' memory; they stay in the kernel's
// cache of files as long as it likes, and what is used comes back 64 kB at a time.
//
// A start reads half of them, once: tables and regular expressions of packages, migrations, templates.
// Kept mapped they count as the process' own, and the kernel takes other things first.
func Program() error {
	exe, err := os.Readlink("/proc/self/exe") // says " (deleted)", too, where smaps does
	if err != nil {
		return err
	}
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return err
	}
	all, err := programOf(f, exe)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	for _, s := range all {
		if _, _, no := syscall.Syscall(syscall.SYS_MADVISE, s.from, s.to-s.from, syscall.MADV_DONTNEED); no != 0 {
			return no
		}
	}
	return nil
}

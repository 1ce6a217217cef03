package resident

import (
	"slices"
	"strings"
	"testing"
)

// In the order of the text: two that go, one that was written to, one whose written pages were swapped out, one that
// can be written to, one of which not all is told, three of other files, one of none, one of the kernel's.
func TestOnlyWhatTheProgramsFileHoldsIsDropped(t *testing.T) {
	t.Parallel()
	const smaps = `00400000-00500000 r-xp 00000000 fe:01 17 /opt/our idp/idp
Rss:                 512 kB
Anonymous:             0 kB
Swap:                  0 kB
SwapPss:               0 kB
VmFlags: rd ex mr mw me sd
00500000-00600000 r--p 00100000 fe:01 17                         /opt/our idp/idp
Anonymous:             0 kB
Swap:                  0 kB
00600000-00700000 r--p 00200000 fe:01 17 /opt/our idp/idp
Anonymous:             4 kB
Swap:                  0 kB
00700000-00800000 r--p 00300000 fe:01 17 /opt/our idp/idp
Anonymous:             0 kB
Swap:                  8 kB
00800000-00900000 rw-p 00400000 fe:01 17 /opt/our idp/idp
Anonymous:             0 kB
Swap:                  0 kB
00900000-00a00000 r--p 00400000 fe:01 17 /opt/our idp/idp
Swap:                  0 kB
00a00000-00b00000 r--s 00000000 fe:01 18 /data/idp.db-shm
Anonymous:             0 kB
Swap:                  0 kB
00b00000-00c00000 r--p 00000000 fe:01 19 /lib/libc.so.6
Anonymous:             0 kB
Swap:                  0 kB
00c00000-00d00000 r-xp 00000000 fe:01 20 /opt/our idp/idp (deleted)
Anonymous:             0 kB
Swap:                  0 kB
00d00000-00e00000 r--p 00000000 00:00 0
Anonymous:             0 kB
Swap:                  0 kB
7ffc0000-7ffd0000 r-xp 00000000 00:00 0 [vdso]
Anonymous:             0 kB
Swap:                  0 kB
`
	got, err := programOf(strings.NewReader(smaps), "/opt/our idp/idp")
	if want := []span{{0x400000, 0x500000}, {0x500000, 0x600000}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%x, %v; want %x", got, err, want)
	}
	got, err = programOf(strings.NewReader(smaps), "/opt/our idp/idp (deleted)") // the program was replaced
	if want := []span{{0xc00000, 0xd00000}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%x, %v; want %x", got, err, want)
	}
	if _, err := programOf(strings.NewReader("00x00000-00500000 r-xp 00000000 fe:01 17 /usr/bin/idp\n"), "/usr/bin/idp"); err == nil {
		t.Error("read what is no address")
	}
}

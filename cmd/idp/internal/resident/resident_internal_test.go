package resident

import (
	"slices"
	"strings"
	"testing"
)

func TestOnlyWhatAFileHoldsIsDropped(t *testing.T) {
	t.Parallel()
	const smaps = `00400000-00500000 r-xp 00000000 fe:01 17 /usr/bin/idp
Rss:                 512 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me sd
00500000-00600000 r--p 00100000 fe:01 17 /usr/bin/idp (deleted)
Anonymous:             0 kB
00600000-00700000 r--p 00200000 fe:01 17 /usr/bin/idp
Anonymous:             4 kB
00700000-00800000 rw-p 00300000 fe:01 17 /usr/bin/idp
Anonymous:             0 kB
00800000-00900000 r--s 00000000 fe:01 18 /data/idp.db-shm
Anonymous:             0 kB
00900000-00a00000 r--p 00000000 00:00 0
Anonymous:             0 kB
7ffc0000-7ffd0000 r-xp 00000000 00:00 0 [vdso]
Anonymous:             0 kB
`
	got, err := programOf(strings.NewReader(smaps))
	if want := []span{{0x400000, 0x500000}, {0x500000, 0x600000}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%x, %v; want %x: the third was written to, the fourth can be, the fifth is shared, the rest is of no file", got, err, want)
	}
	if _, err := programOf(strings.NewReader("00x00000-00500000 r-xp 00000000 fe:01 17 /usr/bin/idp\n")); err == nil {
		t.Error("read what is no address")
	}
}

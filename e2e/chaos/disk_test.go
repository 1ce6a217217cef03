//go:build chaos

package chaos_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"idp/e2e/rig"
)

// smallDisk mounts a disk of so many bytes. It takes root.
func smallDisk(t *testing.T, size int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", size)); err != nil {
		t.Fatalf("mount a small disk: %v (run it as root, where mounts are allowed)", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill writes until there is no room, and gives what takes the room.
func fill(t *testing.T, dir string) (path string) {
	t.Helper()
	path = filepath.Join(dir, "ballast")
	f := rig.Must(os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600))
	defer func() { _ = f.Close() }()
	for _, size := range []int{64 << 10, 512} {
		block := make([]byte, size)
		for {
			if _, err := f.Write(block); err != nil {
				break
			}
		}
	}
	return path
}

// diskFull fills the disk of a SQLite database while people sign in, three times.
func diskFull(t *testing.T) {
	dir := smallDisk(t, 24<<20)
	s := rig.Install(t, "sqlite", append([]string{"IDP_DATA_DIR=" + dir, "IDP_DATABASE_URL=sqlite:" + filepath.Join(dir, "idp.db")}, wide...)...)
	s.Database = filepath.Join(dir, "idp.db")
	c := newCrowd(t, s)
	s.Start()
	c.register()
	const rounds = 3
	var back time.Duration
	var bad []string
	c.come(3)
	for range rounds {
		c.until(5)
		refused := c.count().Unavailable
		ballast := fill(t, dir)
		for end := time.Now().Add(20 * time.Second); c.count().Unavailable < refused+20; time.Sleep(20 * time.Millisecond) {
			fill(t, dir) // what a checkpoint has freed
			if time.Now().After(end) {
				t.Fatalf("the disk is full, and nobody is refused: %+v", c.count())
			}
		}
		bad = append(bad, c.refusal()...)
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		room := time.Now()
		c.until(1)
		back = max(back, time.Since(room))
	}
	c.until(5)
	c.leave()
	after, v := c.count(), c.look()
	v.Wrong = append(v.Wrong, bad...)
	var integrity string
	if err := s.DB().QueryRow(`PRAGMA integrity_check`).Scan(&integrity); err != nil || integrity != "ok" {
		v.Wrong = append(v.Wrong, fmt.Sprintf("integrity_check: %s %v", integrity, err))
	}
	add(t, row{Fault: "disk full (SQLite)", Where: "all steps at once", Expected: "503 with a page that says so; goes on as soon as there is room",
		Seen: seen(fmt.Sprintf("full %d times, integrity_check ok", rounds), after, v), Back: back, Tally: after, Verdict: v})
}

// refusal looks at the page that somebody gets who signs in now.
func (c *crowd) refusal() (wrong []string) {
	p := c.person(nil)
	r := c.s.Request(c.app, "first_screen", "register")
	page, err := p.Try(http.MethodGet, r.Path(), nil)
	if err != nil {
		return []string{err.Error()}
	}
	if page.Status == http.StatusOK { // needs no room
		target, form := page.Fill("/register", "email", p.email)
		if page, err = p.Try(http.MethodPost, target, form); err != nil {
			return []string{err.Error()}
		}
	}
	if page.Status != http.StatusServiceUnavailable || page.Header.Get("Retry-After") == "" || page.Alert() == "" && len(page.Text()) < 40 {
		return []string{fmt.Sprintf("on the full disk the page is %d %v: %s", page.Status, page.Header, page.Text())}
	}
	return nil
}

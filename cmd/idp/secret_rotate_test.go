package main

import (
	"os"
	"path/filepath"
	"testing"
)

// The only secret that opens the database is not replaced before a copy of it is safe.
func TestSecretStaysUntilItsCopyIsSafe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	current := filepath.Join(dir, "secret")
	if err := writeNew(current); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(current)
	if err != nil {
		t.Fatal(err)
	}
	if err := renewSecret(current, filepath.Join(dir, "nowhere", "secret.previous")); err == nil {
		t.Error("the copy cannot have been made, and nobody is told")
	}
	if after, err := os.ReadFile(current); err != nil || string(after) != string(before) {
		t.Errorf("the secret is gone: %v", err)
	}
	previous := filepath.Join(dir, "secret.previous")
	if err := renewSecret(current, previous); err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(previous)
	if err != nil || string(kept) != string(before) {
		t.Errorf("the copy is another one: %v", err)
	}
	if after, err := os.ReadFile(current); err != nil || string(after) == string(before) {
		t.Errorf("no new secret: %v", err)
	}
}

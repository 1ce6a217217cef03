package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Secret refers to a secret: a file that is kept in version control holds none.
type Secret struct {
	Env    string `yaml:"env,omitempty"`    // name of an environment variable
	File   string `yaml:"file,omitempty"`   // path of a file; one newline at its end does not belong to it
	Stored bool   `yaml:"stored,omitempty"` // the one that the instance has; what an export says
	Value  string `yaml:"value,omitempty"`  // the secret itself, in a [Seed] only
}

// maxSecret bounds a secret.
const maxSecret = 64 << 10

// UnmarshalYAML implements yaml.Unmarshaler: a secret in the open is refused with what to
// write.
func (s *Secret) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: a secret is {env: NAME} or {file: PATH}, not the secret itself", n.Line)
	}
	type plain Secret
	var read plain
	for i := 0; i+1 < len(n.Content); i += 2 {
		switch key := n.Content[i].Value; key {
		case "env", "file", "stored", "value":
		default:
			return fmt.Errorf("line %d: a secret has no field %q: it is {env: NAME}, {file: PATH} or {stored: true}", n.Content[i].Line, key)
		}
	}
	if err := n.Decode(&read); err != nil {
		return err
	}
	given := 0
	for _, is := range []bool{read.Env != "", read.File != "", read.Stored, read.Value != ""} {
		if is {
			given++
		}
	}
	if given != 1 {
		return fmt.Errorf("line %d: a secret is one of {env: NAME}, {file: PATH} and {stored: true}", n.Line)
	}
	*s = Secret(read)
	return nil
}

// MarshalJSON implements json.Marshaler, for the comparison: where a secret comes from is
// no difference, whether it is another one is compared apart.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal("(secret)") }

// secret gives what a reference stands for; "" for one that is stored.
func (in Instance) secret(s Secret) (string, error) {
	switch {
	case s.Value != "" && !in.Open:
		return "", errors.New("a secret itself stands only in the file of idp dev --seed: write {env: NAME} or {file: PATH}")
	case s.Value != "":
		return checkSecret(s.Value)
	case strings.HasPrefix(s.Env, settingsPrefix):
		return "", fmt.Errorf("the environment variable %s is a setting of the program, and is put nowhere else", s.Env)
	case s.Env != "":
		text := in.Getenv(s.Env)
		if text == "" {
			return "", fmt.Errorf("the environment variable %s is not set", s.Env)
		}
		return checkSecret(text)
	case s.File != "":
		text, err := readSecret(s.File)
		if err != nil {
			return "", err
		}
		return checkSecret(strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r"))
	}
	return "", nil
}

// settingsPrefix begins the names of the program's own settings: the secret that everything is
// sealed under is one.
const settingsPrefix = "IDP_"

// readSecret reads a file, and no more of it than tells that it is too long.
func readSecret(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxSecret+3)) // with the newline
}

func checkSecret(text string) (string, error) {
	if text == "" || len(text) > maxSecret {
		return "", fmt.Errorf("a secret has 1 to %d bytes", maxSecret)
	}
	return text, nil
}

// errNotStored is for an export that is applied to another instance.
var errNotStored = errors.New("{stored: true} stands for a secret that this instance has, and it has none here: write {env: NAME} or {file: PATH}")

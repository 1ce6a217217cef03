package settings

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// Source holds what the environment and the file say, by key. It is a
// [kong.Resolver]: it answers for flags that were not given.
type Source struct {
	values map[string]string // key: otp_code_ttl
	origin map[string]string // key: where it was said, for messages
}

// Read reads the IDP_… variables of env and the settings file, if there is one,
// and refuses names it does not know.
func Read(env []string, file string) (*Source, error) {
	s := &Source{values: map[string]string{}, origin: map[string]string{}}
	known := names()
	fromEnv := map[string]string{}
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		// IDP_TEST_… belongs to the test suite.
		if !strings.HasPrefix(name, prefix) || strings.HasPrefix(name, prefix+"TEST_") {
			continue
		}
		if value == "" { // how Compose files say "not set"
			continue
		}
		key := strings.ToLower(strings.TrimPrefix(name, prefix))
		if err := check(known, key, name, Variable); err != nil {
			return nil, err
		}
		fromEnv[key] = value
	}
	if file == "" {
		file = fromEnv["config"]
	}
	if file != "" {
		if err := s.readFile(file, known); err != nil {
			return nil, err
		}
	}
	for key, value := range fromEnv {
		s.set(key, value, Variable(key))
	}
	return s, nil
}

// set takes a value; the pair X and X_file are one setting, so that a variable
// of either form wins over both in the file.
func (s *Source) set(key, value, origin string) {
	if base, isFile := strings.CutSuffix(key, "_file"); isFile {
		if s.origin[base] != "" && !strings.HasPrefix(s.origin[base], prefix) {
			delete(s.values, base)
		}
	} else if at := s.origin[key+"_file"]; at != "" && !strings.HasPrefix(at, prefix) {
		delete(s.values, key+"_file")
	}
	s.values[key], s.origin[key] = value, origin
}

func (s *Source) readFile(path string, known []string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the settings file: %w", err)
	}
	var tree map[string]any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return fmt.Errorf("read the settings file %s: %w", path, err)
	}
	flat := map[string]string{}
	if err := flatten(flat, "", tree); err != nil {
		return fmt.Errorf("settings file %s: %w", path, err)
	}
	for key, value := range flat {
		if err := check(known, key, key, func(k string) string { return k }); err != nil {
			return fmt.Errorf("settings file %s: %w", path, err)
		}
		s.set(key, value, path)
	}
	return nil
}

// flatten turns {otp: {code_ttl: 10m}} into otp_code_ttl; a list becomes a
// comma-separated text.
func flatten(out map[string]string, at string, tree map[string]any) error {
	for key, value := range tree {
		key = at + Key(key)
		switch v := value.(type) {
		case map[string]any:
			if err := flatten(out, key+"_", v); err != nil {
				return err
			}
			continue
		case []any:
			parts := make([]string, len(v))
			for i, item := range v {
				parts[i] = fmt.Sprint(item)
			}
			value = strings.Join(parts, ",")
		case nil:
			continue
		}
		if _, twice := out[key]; twice {
			return fmt.Errorf("%s is set twice", key)
		}
		out[key] = fmt.Sprint(value)
	}
	return nil
}

// check refuses a key that is unknown; written
// is how the operator wrote it, spell how to write another.
func check(known []string, key, written string, spell func(string) string) error {
	if slices.Contains(known, key) {
		return nil
	}
	if near := nearest(known, key); near != "" {
		return fmt.Errorf("unknown setting %s: did you mean %s?", written, spell(near))
	}
	return fmt.Errorf("unknown setting %s: idp serve --help lists them all", written)
}

// Known tells whether a key is one of the settings.
func Known(key string) bool { return slices.Contains(names(), key) }

// names lists the keys of every setting.
func names() []string {
	keys := []string{"secret", "secret_previous", "turnstile_secret"}
	t := reflect.TypeFor[all]()
	for i := range t.NumField() {
		part := t.Field(i).Type
		for j := range part.NumField() {
			f := part.Field(j)
			if f.Tag.Get("kong") == "-" {
				continue
			}
			name := f.Tag.Get("name")
			if name == "" {
				name = kebab(f.Name)
			}
			keys = append(keys, Key(name))
		}
	}
	return keys
}

// kebab is kong's way from a field to its flag: DatabaseURLFile, database-url-file.
func kebab(field string) string {
	var b strings.Builder
	for i, r := range field {
		upper := r >= 'A' && r <= 'Z'
		if upper && i > 0 {
			before := field[i-1]
			nextLower := i+1 < len(field) && field[i+1] >= 'a' && field[i+1] <= 'z'
			if before >= 'a' && before <= 'z' || nextLower {
				b.WriteByte('-')
			}
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}

// Resolve implements [kong.Resolver].
func (s *Source) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	v, ok := s.values[Key(flag.Name)]
	if !ok || !Known(Key(flag.Name)) {
		return nil, nil
	}
	return v, nil
}

// Validate implements [kong.Resolver]; Read has done it.
func (s *Source) Validate(*kong.Application) error { return nil }

// Complete fills what may be given as a file, once the flags are known.
func (s *Source) Complete(st *Store) error {
	st.Secret, st.SecretPrevious = s.values["secret"], s.values["secret_previous"]
	return complete(
		inFile{"secret", &st.Secret, st.SecretFile},
		inFile{"secret_previous", &st.SecretPrevious, st.SecretPreviousFile},
		inFile{"database_url", &st.DatabaseURL, st.DatabaseURLFile},
	)
}

// CompleteServer fills what may be given as a file, once the flags are known.
func (s *Source) CompleteServer(sv *Server) error {
	sv.TurnstileSecret = s.values["turnstile_secret"]
	return complete(inFile{"turnstile_secret", &sv.TurnstileSecret, sv.TurnstileSecretFile})
}

// inFile is a setting that may be given as a file.
type inFile struct {
	key   string
	value *string
	file  string
}

func complete(all ...inFile) error {
	for _, one := range all {
		if one.file == "" {
			continue
		}
		if *one.value != "" {
			return fmt.Errorf("%s and %s are both set: keep one", Variable(one.key), Variable(one.key+"_file"))
		}
		text, err := os.ReadFile(one.file)
		if err != nil {
			return fmt.Errorf("%s: %w", Variable(one.key+"_file"), err)
		}
		if *one.value = strings.TrimSpace(string(text)); *one.value == "" {
			return fmt.Errorf("%s: %w", Variable(one.key+"_file"), errors.New(one.file+" is empty"))
		}
	}
	return nil
}

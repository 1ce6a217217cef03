package config

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"idp/admin"
	"idp/audit"
	"idp/store"
)

// MaxFile bounds a file.
const MaxFile = 16 << 20

// File is a configuration. A section that is nil is not in the file. Fields have the names
// that the management API gives them.
type File struct {
	Resources  []Resource  `yaml:"resources,omitempty"`
	Roles      []Role      `yaml:"roles,omitempty"`
	Clients    []Client    `yaml:"clients,omitempty"`
	Connectors []Connector `yaml:"connectors,omitempty"` // in the order they are tried
	Templates  []Template  `yaml:"templates,omitempty"`
	Experience *Experience `yaml:"experience,omitempty"`
	Hooks      []Hook      `yaml:"hooks,omitempty"`

	root *yaml.Node // of what was read; nil: it was not read from a file
}

// sections are their names, in the order in which they are made: what comes later may name
// what comes before.
var sections = []string{"resources", "roles", "clients", "connectors", "templates", "experience", "hooks"}

// Read reads a file. A field that there is not is an error that names it with its line.
func Read(r io.Reader) (f File, err error) {
	f.root, err = read(r, &f, sections)
	if err != nil {
		return File{}, err
	}
	return f, nil
}

// read reads a file that has sections, strictly, and gives what knows where its things stand.
func read(r io.Reader, to any, sections []string) (*yaml.Node, error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > MaxFile {
		return nil, fmt.Errorf("the file is longer than %d bytes", MaxFile)
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	switch err := d.Decode(to); {
	case errors.Is(err, io.EOF):
		return nil, errors.New("the file is empty: it has sections, of " + strings.Join(sections, ", "))
	case err != nil:
		return nil, plainly(err)
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("the file has more than one document")
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil || len(root.Content) == 0 {
		return nil, err
	}
	return root.Content[0], nil
}

// unfit is what the library says of a value that is not of the kind that a field has.
var unfit = regexp.MustCompile("(?s)cannot unmarshal !!\\w+(?: `.*`)? into (\\S+)")

// plainly words what the library says for people who know nothing of Go. Values are left
// out: one in the wrong place may be a secret.
func plainly(err error) error {
	var kinds *yaml.TypeError
	var date *time.ParseError
	if errors.As(err, &date) {
		return errors.New("expiresAt is not " + kindOf("time.Time"))
	}
	if !errors.As(err, &kinds) {
		return errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	lines := make([]string, len(kinds.Errors))
	for i, line := range kinds.Errors {
		line = unfit.ReplaceAllStringFunc(line, func(text string) string { return "is not " + kindOf(unfit.FindStringSubmatch(text)[1]) })
		line, _, _ = strings.Cut(line, " in type ")
		lines[i] = strings.NewReplacer(": field ", ": there is no field ", " not found", "").Replace(line)
	}
	return errors.New(strings.Join(lines, "; "))
}

// kindOf is a type of Go for people.
func kindOf(name string) string {
	switch {
	case name == "string" || name == "config.prose" || name == "store.Usage" || name == "store.ClientType" || name == "store.RoleType":
		return "a text"
	case name == "int":
		return "a whole number"
	case name == "bool":
		return "true or false"
	case name == "time.Time":
		return "a time like 2027-01-31T12:00:00Z"
	case strings.HasPrefix(name, "[]"):
		return "a list"
	}
	return "an object with fields"
}

// Write writes a file.
func (f File) Write(w io.Writer) error {
	e := yaml.NewEncoder(w)
	e.SetIndent(2)
	if err := e.Encode(f); err != nil {
		return err
	}
	return e.Close()
}

// Instance is where a configuration is.
type Instance struct {
	Admin  *admin.Service
	By     audit.Actor
	Getenv func(string) string                        // gives "" for what is not set
	Keys   func(jwks []byte) (kept string, err error) // checks the public keys of a client; nil: they are taken as they are
	Open   bool                                       // secrets may stand in the file itself: for development

	isDry bool
}

// Load reads the configuration of an instance: what [File.Write] writes of it changes nothing
// there.
func (in Instance) Load(ctx context.Context) (f File, err error) {
	for _, load := range []func(context.Context, *File) error{
		in.loadResources, in.loadRoles, in.loadClients, in.loadConnectors, in.loadTemplates, in.loadExperience, in.loadHooks,
	} {
		if err := load(ctx, &f); err != nil {
			return f, err
		}
	}
	return f, nil
}

// Plan compares an instance with a file. prune deletes what the file's sections do not list.
// The plan was tried with all writes left out: what it would do is right by itself.
func (in Instance) Plan(ctx context.Context, wanted File, prune bool) (*Plan, error) {
	there, err := in.Load(ctx)
	if err != nil {
		return nil, err
	}
	if err := in.checkNeeded(ctx, there, wanted, prune); err != nil {
		return nil, err
	}
	dry, err := in.dry().plan(ctx, there, wanted, prune)
	if err != nil {
		return nil, err
	}
	if err := dry.Apply(ctx, func(Change) {}); err != nil {
		return nil, err
	}
	return in.plan(ctx, there, wanted, prune)
}

// dry is the instance with all writes left out.
func (in Instance) dry() Instance {
	in.Admin, in.isDry = in.Admin.Dry(), true
	return in
}

// made is the error of something that was made just now: in a dry run it is not there to be
// read.
func (in Instance) made(err error) error {
	if in.isDry && store.CodeOf(err) == store.NotFound {
		return nil
	}
	return err
}

func (in Instance) plan(ctx context.Context, there, wanted File, prune bool) (*Plan, error) {
	p := &Plan{Changes: []Change{}, Unlisted: []Thing{}}
	for _, plan := range []func(context.Context, *Plan, File, File, bool) error{
		in.planResources, in.planRoles, in.planClients, in.planConnectors, in.planTemplates, in.planExperience, in.planHooks,
	} {
		if err := plan(ctx, p, there, wanted, prune); err != nil {
			return nil, err
		}
	}
	p.order()
	return p, nil
}

// strictly reads JSON; a field that there is not is an error that names it.
func strictly(text []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(to)
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return fmt.Errorf("%s is not %s", kind.Field, kindOf(kind.Type.String()))
	}
	if err != nil {
		err = errors.New(strings.TrimPrefix(strings.Replace(err.Error(), "unknown field", "there is no field", 1), "json: "))
	}
	return err
}

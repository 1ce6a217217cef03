package config

import (
	"cmp"
	"errors"
	"regexp"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"idp/store"
)

// Line tells in which line of the file it stands what an error of [Instance.Plan] or
// [Plan.Apply] is about, 0 if it does not.
func (f File) Line(err error) int {
	var about *thingError
	if f.root == nil || !errors.As(err, &about) {
		return 0
	}
	title, section := member(f.root, about.Section)
	if section == nil {
		return 0
	}
	line, node := title.Line, section
	if section.Kind == yaml.SequenceNode {
		i := slices.IndexFunc(section.Content, func(n *yaml.Node) bool { return keyOf(about.Section, n) == about.Key })
		if i < 0 {
			return line
		}
		node = section.Content[i]
		line = node.Line
	}
	var field *store.FieldError
	if errors.As(err, &field) {
		line = cmp.Or(lineOf(node, field.Field), line)
	}
	return line
}

// keyOf is the key of something of a section, as [section.key] gives it.
func keyOf(section string, n *yaml.Node) string {
	text := func(name string) string {
		if _, v := member(n, name); v != nil {
			return v.Value
		}
		return ""
	}
	switch section {
	case "resources":
		return text("indicator")
	case "roles":
		return text("name")
	case "templates":
		return text("templateType") + " " + text("languageTag")
	case "hooks":
		return cmp.Or(text("id"), text("name"))
	}
	return text("id")
}

// member is a field of an object.
func member(n *yaml.Node, name string) (title, value *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i], n.Content[i+1]
		}
	}
	return nil, nil
}

// steps are the parts of a path: a.b[3].
var steps = regexp.MustCompile(`[^.\[\]]+`)

// lineOf follows the path of a field as far as the file has it; 0 if it has nothing of it.
func lineOf(n *yaml.Node, path string) (line int) {
	for _, step := range steps.FindAllString(path, -1) {
		switch i, err := strconv.Atoi(step); {
		case n.Kind == yaml.SequenceNode && err == nil && i >= 0 && i < len(n.Content):
			n, line = n.Content[i], n.Content[i].Line
		default:
			title, value := member(n, step)
			switch {
			case value != nil:
				n, line = value, title.Line
			case line != 0:
				return line
			} // else an object of the management API that the file has not: oidcClientMetadata
		}
	}
	return line
}

package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Object holds what this package knows no fields of. Its values are those that JSON has.
type Object map[string]any

// UnmarshalYAML implements yaml.Unmarshaler.
func (o *Object) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: is no object", n.Line)
	}
	tree, err := treeOf(n)
	*o, _ = tree.(map[string]any)
	return err
}

// MarshalYAML implements yaml.Marshaler.
func (o Object) MarshalYAML() (any, error) { return writable(map[string]any(o)), nil }

// prose is a text of several lines.
type prose string

// MarshalYAML implements yaml.Marshaler. What begins with a space, tab or empty line stands
// in quotes: the library would write it as a block that it cannot read itself.
func (p prose) MarshalYAML() (any, error) {
	if strings.TrimLeft(string(p), " \t\r\n") == string(p) {
		return string(p), nil
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: string(p), Style: yaml.DoubleQuotedStyle}, nil
}

// writable is a tree whose texts can be read again.
func writable(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, one := range v {
			out[k] = writable(one)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, one := range v {
			out[i] = writable(one)
		}
		return out
	case string:
		return prose(v)
	}
	return v
}

// treeOf reads a node as JSON has it. YAML has more, which is an error with its line.
func treeOf(n *yaml.Node) (tree any, err error) {
	if err := likeJSON(n, map[*yaml.Node]bool{}); err != nil {
		return nil, err
	}
	err = n.Decode(&tree)
	return tree, err
}

// likeJSON finds what JSON has not. A date becomes the text that it is written as.
func likeJSON(n *yaml.Node, seen map[*yaml.Node]bool) error {
	if n == nil || seen[n] {
		return nil
	}
	seen[n] = true
	switch tag := n.ShortTag(); {
	case n.Kind == yaml.AliasNode:
		return likeJSON(n.Alias, seen)
	case n.Kind == yaml.MappingNode:
		for i := 0; i < len(n.Content); i += 2 {
			if key := n.Content[i]; !slices.Contains([]string{"!!str", "!!merge"}, key.ShortTag()) {
				return fmt.Errorf("line %d: the name of a field is a text: write it in quotes", key.Line)
			}
		}
	case n.Kind != yaml.ScalarNode:
	case tag == "!!timestamp":
		n.Tag = "!!str"
	case tag == "!!binary":
		return fmt.Errorf("line %d: binary values have no place here", n.Line)
	case tag == "!!float":
		if v, err := strconv.ParseFloat(n.Value, 64); err != nil || v-v != 0 { // .inf and .nan
			return fmt.Errorf("line %d: is no number that JSON has", n.Line)
		}
	}
	for _, one := range n.Content {
		if err := likeJSON(one, seen); err != nil {
			return err
		}
	}
	return nil
}

// throughJSON reads a node into a value by the names of its JSON form. A field that there is
// not is an error that names it with the line.
func throughJSON(n *yaml.Node, to any) error {
	tree, err := treeOf(n)
	if err != nil {
		return err
	}
	text, err := json.Marshal(tree)
	if err == nil {
		err = strictly(text, to)
	}
	if err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	return nil
}

// plain is a thing as JSON has it. Whole numbers stay what they are, however long.
func plain(v any) any {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("config: %T is not to be written as JSON: %v", v, err)) // types of this package, and what treeOf has read
	}
	return parsed(text)
}

// parsed reads JSON that was checked when it was written.
func parsed(text []byte) (out any) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	_ = d.Decode(&out)
	return withNumbers(out)
}

func withNumbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, one := range v {
			v[k] = withNumbers(one)
		}
	case []any:
		for i, one := range v {
			v[i] = withNumbers(one)
		}
	case json.Number:
		if n, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return n
		}
		if n, err := strconv.ParseUint(v.String(), 10, 64); err == nil {
			return n
		}
		n, _ := v.Float64()
		return n
	}
	return v
}

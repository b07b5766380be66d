package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

func (s *shared) checkOutput() error {
	switch s.output {
	case "", "wide", "json", "yaml", "name":
		return nil
	}
	return usageErrorf("--output is wide, json, yaml or name, not %q", s.output)
}

// result is something that can be printed in every form.
type result struct {
	value any                          // for json and yaml
	names []string                     // for name, one line each
	table func(wide bool) table        // for people; or text
	text  func(w io.Writer, wide bool) // for people, when a table is not the form
}

func (s *shared) print(r result) error {
	switch s.output {
	case "json":
		return printJSON(s.streams.Out, r.value)
	case "yaml":
		return printYAML(s.streams.Out, r.value)
	case "name":
		for _, n := range r.names {
			if _, err := fmt.Fprintln(s.streams.Out, plainText(n)); err != nil {
				return err
			}
		}
		return nil
	}
	wide := s.output == "wide"
	if r.text != nil {
		r.text(s.streams.Out, wide)
		return nil
	}
	return r.table(wide).print(s.streams.Out, s.streams.colours(s.streams.OutTerminal))
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// printYAML prints the JSON form as YAML: same names, same order.
func printYAML(w io.Writer, v any) error {
	tree, err := yamlOf(v)
	if err != nil {
		return err
	}
	return encodeYAML(w, tree)
}

// yamlOf makes YAML of the JSON form of a value.
func yamlOf(v any) (*yaml.Node, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	unquote(&doc)
	return doc.Content[0], nil
}

func encodeYAML(w io.Writer, tree *yaml.Node) error {
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(tree); err != nil {
		return err
	}
	return enc.Close()
}

// unquote lets the encoder choose the style of each value; JSON's is quotes and braces everywhere.
func unquote(n *yaml.Node) {
	n.Style = 0
	if n.Kind == yaml.ScalarNode && n.Tag == "!!str" && strings.Contains(n.Value, "\n") {
		n.Style = yaml.LiteralStyle
	}
	for _, c := range n.Content {
		unquote(c)
	}
}

// table is rows below a head. The last column is not padded.
type table struct {
	head  []string
	rows  [][]cell
	empty string // said on the error output's place when there are no rows
}

// cell is a text and its colour; 0 means none.
type cell struct {
	text   string
	colour colour
}

func plainCell(s string) cell { return cell{text: dash(s)} }

func (t table) print(w io.Writer, colours bool) error {
	if len(t.rows) == 0 {
		_, err := fmt.Fprintln(w, t.empty)
		return err
	}
	width := make([]int, len(t.head))
	for i, h := range t.head {
		width[i] = utf8.RuneCountInString(h)
	}
	for _, row := range t.rows {
		for i, c := range row {
			width[i] = max(width[i], utf8.RuneCountInString(c.text))
		}
	}
	var b strings.Builder
	line := func(cells []cell) {
		var l strings.Builder
		for i, c := range cells {
			text := c.text
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(text)+2)
			if colours && c.colour != 0 {
				text = paint(c.colour, text)
			}
			l.WriteString(text)
			if i < len(cells)-1 {
				l.WriteString(pad)
			}
		}
		b.WriteString(strings.TrimRight(l.String(), " ") + "\n")
	}
	head := make([]cell, len(t.head))
	for i, h := range t.head {
		head[i] = cell{h, grey}
	}
	line(head)
	for _, row := range t.rows {
		line(row)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

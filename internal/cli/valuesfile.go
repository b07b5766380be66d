package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"

	"go.yaml.in/yaml/v3"
)

var (
	// doubtfulWord and doubtfulNumber are plain words that two readings of YAML disagree on. The server refuses them in every file that it reads itself.
	doubtfulWord   = regexp.MustCompile(`^(?i:yes|no|on|off|y|n)$`)
	doubtfulNumber = regexp.MustCompile(`^[-+]?0[0-9_]+$`)
)

// readValues reads a file of values, YAML or JSON, or the input for "-". It checks the form alone; the server judges the rest.
func (s *shared) readValues(file string) (map[string]any, error) {
	data, err := s.read(file)
	if err != nil {
		return nil, err
	}
	tree, err := parseValues(data)
	if err != nil {
		return nil, refusedError{fmt.Errorf("%s: %w", file, err)}
	}
	return tree, nil
}

func parseValues(data []byte) (map[string]any, error) {
	if text := bytes.TrimLeft(data, " \t\r\n"); len(text) > 0 && text[0] == '{' && json.Valid(data) {
		return parseJSON(data) // YAML readers stumble over its tabs and surrogate pairs
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return map[string]any{}, nil
	case err != nil:
		return nil, err
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, errors.New("it holds more than one document")
	}
	if err := plainScalars(&doc); err != nil {
		return nil, err
	}
	var tree map[string]any
	if err := doc.Decode(&tree); err != nil {
		return nil, err
	}
	if _, err := json.Marshal(tree); err != nil {
		return nil, fmt.Errorf("it holds what JSON cannot: %w", err)
	}
	if tree == nil {
		tree = map[string]any{}
	}
	return tree, nil
}

func parseJSON(data []byte) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var tree map[string]any
	err := dec.Decode(&tree)
	return tree, err
}

// plainScalars refuses what may be read in two ways, keeps dates as the text that they are, and takes every key for text.
func plainScalars(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode && n.Style == 0 {
		if doubtfulWord.MatchString(n.Value) || doubtfulNumber.MatchString(n.Value) {
			return fmt.Errorf("line %d, column %d: %s can be read in two ways; write true or false, or put it in quotes", n.Line, n.Column, n.Value)
		}
		if n.ShortTag() == "!!timestamp" {
			n.Tag = "!!str"
		}
	}
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 && c.Kind == yaml.ScalarNode {
			if c.ShortTag() != "!!merge" {
				c.Tag = "!!str"
			}
			continue
		}
		if err := plainScalars(c); err != nil {
			return err
		}
	}
	return nil
}

package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// confirm asks a question that silence answers with no. Only the line of the answer is read: what is typed behind it answers the next question.
func (s *shared) confirm(question string) (bool, error) {
	fmt.Fprint(s.streams.Err, question+" [y/N] ")
	line, err := readLine(s.streams.In)
	if err != nil {
		return false, fmt.Errorf("read answer: %w", err)
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return true, nil
	}
	return false, nil
}

// readLine reads up to the end of a line or of the input.
func readLine(r io.Reader) (string, error) {
	var line []byte
	one := make([]byte, 1)
	for {
		n, err := r.Read(one)
		if n > 0 {
			if one[0] == '\n' {
				return string(line), nil
			}
			line = append(line, one[0])
		}
		switch {
		case errors.Is(err, io.EOF):
			return string(line), nil
		case err != nil:
			return "", err
		}
	}
}

// errNobodyToAsk refuses what needs a yes where nobody can give one.
var errNobodyToAsk = usageErrorf("there is no terminal to ask on: --yes is needed")

// agreed tells what will be done and waits for a yes, unless it was given before.
func (s *shared) agreed(yes bool, what string) (bool, error) {
	switch {
	case yes:
		return true, nil
	case !s.streams.InTerminal:
		return false, errNobodyToAsk
	}
	fmt.Fprintln(s.streams.Err, strings.TrimRight(what, "\n"))
	sure, err := s.confirm("Go on?")
	if err == nil && !sure {
		s.note("nothing was changed")
	}
	return sure, err
}

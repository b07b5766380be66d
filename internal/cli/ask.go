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

// secret reads a secret: from a file, from the input for -, or from the terminal, where it is not shown. It is never an argument: those are seen by everyone
// on the machine, and kept in the shell's history.
func (s *shared) secret(file, prompt string) (string, error) {
	var text string
	switch {
	case file != "" && (file != "-" || !s.streams.InTerminal || s.streams.ReadSecret == nil):
		data, err := s.read(file)
		if err != nil {
			return "", err
		}
		text = string(data)
	case !s.streams.InTerminal || s.streams.ReadSecret == nil:
		return "", usageErrorf("there is no terminal to ask for the %s on", prompt)
	default:
		fmt.Fprint(s.streams.Err, prompt+": ")
		line, err := s.streams.ReadSecret()
		fmt.Fprintln(s.streams.Err)
		if err != nil {
			return "", fmt.Errorf("read %s: %w", prompt, err)
		}
		text = line
	}
	text = strings.TrimRight(text, "\r\n")
	if text == "" || strings.ContainsAny(text, "\r\n") {
		return "", usageErrorf("the %s is one line that is not empty", prompt)
	}
	return text, nil
}

// mistakes are the faults of a command line: all are told at once.
type mistakes []string

func (m *mistakes) add(wrong bool, format string, args ...any) {
	if wrong {
		*m = append(*m, fmt.Sprintf(format, args...))
	}
}

// check keeps what is wrong with a part of the command line.
func (m *mistakes) check(err error) {
	m.add(err != nil, "%v", err)
}

func (m mistakes) err() error {
	if len(m) == 0 {
		return nil
	}
	return usageError{errors.New(strings.Join(m, "\n  "))}
}

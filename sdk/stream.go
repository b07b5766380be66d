package sdk

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Limits of one message of an event stream.
const (
	maxStreamLine    = 1 << 20 // bytes
	maxStreamMessage = 4 << 20 // bytes
)

var errMessageTooLong = errors.New("message of the event stream is too long")

// message is one message of an event stream (text/event-stream of the HTML standard).
type message struct {
	id    string
	event string
	data  string
	retry time.Duration // pause before a reconnect that the server asks for; 0 if it does not
}

// messages reads an event stream.
type messages struct {
	lines *bufio.Scanner
	id    string // the last one seen stays valid for messages without one
	first bool
}

func newMessages(r io.Reader) *messages {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 4096), maxStreamLine)
	s.Split(scanStreamLines)
	return &messages{lines: s, first: true}
}

// next gives the next message that has data or a retry; io.EOF when the stream ends. What stood before the end without an empty line behind
// it is dropped, as the standard asks: it may be half a message.
func (m *messages) next() (message, error) {
	var out message
	var data strings.Builder
	some := false
	for m.lines.Scan() {
		line := m.lines.Text()
		if m.first {
			line, m.first = strings.TrimPrefix(line, "\ufeff"), false
		}
		if line == "" {
			if some || out.retry > 0 {
				out.id, out.data = m.id, data.String()
				return out, nil
			}
			out = message{}
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "data":
			if some {
				data.WriteByte('\n')
			}
			some = true
			if data.Len()+len(value) > maxStreamMessage {
				return message{}, errMessageTooLong
			}
			data.WriteString(value)
		case "event":
			out.event = value
		case "id":
			if !strings.ContainsRune(value, 0) {
				m.id = value
			}
		case "retry":
			if ms, err := strconv.ParseUint(value, 10, 31); err == nil {
				out.retry = time.Duration(ms) * time.Millisecond
			}
		}
	}
	if err := m.lines.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			return message{}, errMessageTooLong
		}
		return message{}, fmt.Errorf("read event stream: %w", err)
	}
	return message{}, io.EOF
}

// scanStreamLines splits at LF, CRLF or CR.
func scanStreamLines(data []byte, atEOF bool) (int, []byte, error) {
	for i, b := range data {
		switch b {
		case '\n':
			return i + 1, data[:i], nil
		case '\r':
			if i+1 < len(data) {
				if data[i+1] == '\n' {
					return i + 2, data[:i], nil
				}
				return i + 1, data[:i], nil
			}
			if atEOF {
				return i + 1, data[:i], nil
			}
			return 0, nil, nil // the next byte tells CR from CRLF
		}
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

package kube

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/blueberry-idp/blueberry/internal/target"
)

// Bounds of the reading of one log.
const (
	maxLine  = 64 << 10         // bytes of text; what is longer is cut
	maxKept  = 4 << 20          // bytes of the last lines before a point in time, which the API cannot give by itself
	logQuiet = 30 * time.Second // an answer that stops for so long, and is not followed, will not go on
)

// reading is how one log is read.
type reading struct {
	target.LogQuery
	after time.Time // only what is newer: the rest was told already
}

// readLog gives the lines of one log to yield, until its end, an error of yield, or enough: no later line can be wanted. A log that is not there has no lines.
func (d *Driver) readLog(ctx context.Context, s source, r reading, yield func(target.LogLine) error) (enough bool, err error) {
	doing := "read the log of container " + s.container + " of pod " + s.pod
	outer := ctx
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(callTimeout, func() { cancel(context.DeadlineExceeded) })
	defer watchdog.Stop()
	if r.Follow {
		watchdog.Stop() // a container that says nothing makes the API say nothing, not even that all is well
	}
	body, err := d.openLog(ctx, s, r)
	watchdog.Stop()
	switch {
	case err != nil && unread(err):
		return false, nil
	case err != nil:
		return false, lacking(outer, doing, "read logs (get pods/log)", timedOut(ctx, err))
	}
	defer body.Close()
	pick := picker{reading: r, source: s, yield: yield, search: strings.ToLower(r.Search)}
	in := bufio.NewReader(body)
	for {
		if !r.Follow {
			watchdog.Reset(logQuiet)
		}
		line, err := readLine(in)
		watchdog.Stop()
		if len(line) > 0 || err == nil {
			if done, err := pick.take(line); done || err != nil {
				return done, err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return false, pick.flush()
		case err != nil:
			return false, fault(outer, doing, timedOut(ctx, err))
		}
	}
}

// timedOut gives the reason for which we cut a connection ourselves, else err.
func timedOut(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, context.DeadlineExceeded) {
		return cause
	}
	return err
}

func (d *Driver) openLog(ctx context.Context, s source, r reading) (io.ReadCloser, error) {
	req := d.streams.Get().AbsPath("/api/v1/namespaces", s.namespace, "pods", s.pod, "log").Param("container", s.container).Param("timestamps", "true")
	if r.Previous {
		req.Param("previous", "true")
	}
	if r.Follow {
		req.Param("follow", "true")
	}
	since := r.Since
	if r.after.After(since) {
		since = r.after
	}
	if !since.IsZero() {
		req.Param("sinceTime", since.UTC().Format(time.RFC3339)) // whole seconds: the picker is exact
	}
	if r.Tail > 0 && r.Until.IsZero() && r.after.IsZero() {
		req.Param("tailLines", strconv.Itoa(r.Tail))
	}
	return req.Stream(ctx)
}

// readLine reads a line without its end. Of one that is too long it gives the begin.
func readLine(in *bufio.Reader) ([]byte, error) {
	const room = maxLine + 64 // and the time before it
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		if n := min(len(part), room-len(line)); n > 0 {
			line = append(line, part[:n]...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil:
			return line, err
		}
		return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r")), nil
	}
}

// picker gives of one log the lines that were asked for.
type picker struct {
	reading
	source source
	search string // in lower case
	yield  func(target.LogLine) error
	at     time.Time // of the last line that said when
	bytes  int64
	kept   []target.LogLine // the last lines so far, of a tail that ends at a point in time
	size   int
}

// take looks at one line. Done says that no later one can be wanted.
func (p *picker) take(line []byte) (done bool, err error) {
	at, said := stamp(line)
	if at.IsZero() {
		at = p.at
	}
	p.at = at
	switch {
	case at.Before(p.Since), !p.after.IsZero() && !at.After(p.after):
		return false, nil
	case !p.Until.IsZero() && at.After(p.Until):
		return true, p.flush()
	}
	p.bytes += int64(len(said)) + 1
	if p.MaxBytes > 0 && p.bytes > p.MaxBytes {
		return true, p.flush()
	}
	l := target.LogLine{At: at, Component: p.source.component, Pod: p.source.pod, Container: p.source.container, Text: clean(said)}
	if p.Tail > 0 && !p.Until.IsZero() {
		p.keep(l)
		return false, nil
	}
	return false, p.pass(l)
}

func (p *picker) pass(l target.LogLine) error {
	if p.search != "" && !strings.Contains(strings.ToLower(l.Text), p.search) {
		return nil
	}
	return p.yield(l)
}

func (p *picker) keep(l target.LogLine) {
	p.kept = append(p.kept, l)
	p.size += len(l.Text)
	for len(p.kept) > p.Tail || p.size > maxKept {
		p.size -= len(p.kept[0].Text)
		p.kept[0] = target.LogLine{}
		p.kept = p.kept[1:]
	}
}

// flush gives what was kept until the end was known.
func (p *picker) flush() error {
	for _, l := range p.kept {
		if err := p.pass(l); err != nil {
			return err
		}
	}
	p.kept = nil
	return nil
}

// stamp parts the time that the API puts before a line from the line.
func stamp(line []byte) (time.Time, []byte) {
	before, after, _ := bytes.Cut(line, []byte(" "))
	at, err := time.Parse(time.RFC3339Nano, string(before))
	if err != nil {
		return time.Time{}, line
	}
	return at.UTC(), after
}

// clean makes text of a line, cut to its bound between two characters.
func clean(line []byte) string {
	if len(line) > maxLine {
		line = line[:maxLine]
		for i := 1; i <= utf8.UTFMax && i <= len(line); i++ { // a character that was cut through
			if tail := line[len(line)-i:]; utf8.RuneStart(tail[0]) {
				if !utf8.FullRune(tail) {
					line = line[:len(line)-i]
				}
				break
			}
		}
	}
	out := strings.ToValidUTF8(string(line), "\uFFFD")
	if len(out) > maxLine { // each mark of what could not be read is longer than that
		out = strings.ToValidUTF8(out[:maxLine], "")
	}
	return out
}

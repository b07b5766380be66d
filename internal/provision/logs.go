package provision

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// maxLogLine is the longest line of an archived log that is read, with the time before it.
const maxLogLine = 64<<10 + 64

// Logs calls tell for each line that the containers of an environment wrote, as target.LogReader does. Of an environment that ended, and of pods that are gone
// from one that failed, it reads what was archived; then Follow has nothing to wait for.
func (p *Provisioner) Logs(ctx context.Context, actor blueberry.Actor, id string, q target.LogQuery, tell func(target.LogLine) error) error {
	e, err := p.environment(ctx, actor, id, blueberry.GrantEnvironmentsLogs)
	if isCode(err, "ENVIRONMENT_NOT_FOUND") {
		return p.logsOfArchive(ctx, actor, id, q, tell)
	}
	if err != nil {
		return err
	}
	if e.Phase == blueberry.Terminated {
		return p.archivedLogs(ctx, id, q, tell)
	}
	place, err := p.place(e.Target)
	if err != nil {
		return err
	}
	reader, ok := place.Driver.(target.LogReader)
	if !ok {
		return cannot("READ_LOGS", e.Target, "read logs")
	}
	told := 0
	err = reader.Logs(ctx, refOf(e), q, func(l target.LogLine) error {
		told++
		return tell(l)
	})
	gone := err == nil || errors.Is(err, blueberry.NotFound) || errors.Is(err, blueberry.Unavailable)
	if told == 0 && gone && ctx.Err() == nil && (e.Phase == blueberry.Failed || e.Phase == blueberry.Terminating) {
		if archived := p.archivedLogs(ctx, id, q, tell); !errors.Is(archived, blueberry.NotFound) {
			return archived
		}
	}
	return err
}

// environment reads an environment for an actor who holds the grant on it.
func (p *Provisioner) environment(ctx context.Context, actor blueberry.Actor, id string, grant blueberry.Grant) (blueberry.Environment, error) {
	return view(ctx, p, func(tx Tx) (blueberry.Environment, error) { return environmentFor(ctx, tx, actor, id, grant) })
}

// logsOfArchive reads what was archived of an environment that the record no longer has.
func (p *Provisioner) logsOfArchive(ctx context.Context, actor blueberry.Actor, id string, q target.LogQuery, tell func(target.LogLine) error) error {
	if _, err := view(ctx, p, func(tx Tx) (blueberry.Archive, error) {
		return archiveFor(ctx, tx, actor, id, blueberry.GrantEnvironmentsLogs)
	}); err != nil {
		return err
	}
	return p.archivedLogs(ctx, id, q, tell)
}

// archivedLogs tells what was archived, a container after the other; NotFound with code LOGS_NOT_KEPT when nothing was, or is any more.
func (p *Provisioner) archivedLogs(ctx context.Context, id string, q target.LogQuery, tell func(target.LogLine) error) error {
	none := blueberry.Errorf(blueberry.NotFound, "LOGS_NOT_KEPT", "no logs of environment %s are kept", id)
	if p.Bucket == nil {
		return none
	}
	index, err := p.readIndex(ctx, id)
	if err != nil {
		return fmt.Errorf("read archived logs: %w", err)
	}
	if index.TakenAt.IsZero() {
		return none
	}
	for _, f := range index.Files {
		if f.Container == "" || q.Previous != f.Previous || q.Component != "" && q.Component != f.Component || q.Pod != "" && q.Pod != f.Pod ||
			q.Container != "" && q.Container != f.Container {
			continue
		}
		if err := p.archivedLog(ctx, id, f, q, tell); err != nil {
			return err
		}
	}
	return nil
}

func (p *Provisioner) archivedLog(ctx context.Context, id string, f logFile, q target.LogQuery, tell func(target.LogLine) error) error {
	r, err := p.Bucket.Get(ctx, objectName(id, f.Name))
	if errors.Is(err, blueberry.NotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read archived log %s: %w", f.Name, err)
	}
	defer r.Close()
	var from io.Reader = r
	if q.MaxBytes > 0 {
		from = io.LimitReader(r, q.MaxBytes)
	}
	in := bufio.NewScanner(from)
	in.Buffer(nil, maxLogLine)
	search := strings.ToLower(q.Search)
	var tail []target.LogLine
	for in.Scan() {
		l := target.LogLine{Component: f.Component, Pod: f.Pod, Container: f.Container}
		at, text, _ := strings.Cut(in.Text(), " ")
		if l.At, err = time.Parse(time.RFC3339Nano, at); err != nil {
			text = in.Text()
		}
		l.Text = text
		if !q.Since.IsZero() && l.At.Before(q.Since) || !q.Until.IsZero() && l.At.After(q.Until) {
			continue
		}
		if q.Tail == 0 {
			if strings.Contains(strings.ToLower(text), search) {
				if err := tell(l); err != nil {
					return err
				}
			}
			continue
		}
		if tail = append(tail, l); len(tail) > q.Tail {
			tail = tail[1:]
		}
	}
	if err := in.Err(); err != nil {
		return fmt.Errorf("read archived log %s: %w", f.Name, err)
	}
	for _, l := range tail {
		if strings.Contains(strings.ToLower(l.Text), search) {
			if err := tell(l); err != nil {
				return err
			}
		}
	}
	return nil
}

// archivedEvents reads the notes of the target that were archived.
func (p *Provisioner) archivedEvents(ctx context.Context, id string) ([]target.PlaceEvent, error) {
	if p.Bucket == nil {
		return nil, nil
	}
	r, err := p.Bucket.Get(ctx, objectName(id, placeEventsFile))
	if errors.Is(err, blueberry.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read archived events: %w", err)
	}
	defer r.Close()
	var out []target.PlaceEvent
	for dec := json.NewDecoder(r); ; {
		var l placeEventLine
		if err := dec.Decode(&l); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return out, fmt.Errorf("decode archived events: %w", err)
		}
		out = append(out, target.PlaceEvent{
			First: l.First, Last: l.At, Count: l.Count, Warning: l.Warning, Reason: l.Reason, Object: objectOf(l.Object), Component: l.Component, Source: l.Source,
			Message: l.Message,
		})
	}
}

// Containers lists what logs there are to read: of an environment that ended, those that were archived, whose state is "archived".
func (p *Provisioner) Containers(ctx context.Context, actor blueberry.Actor, id string) ([]target.Container, error) {
	e, err := p.environment(ctx, actor, id, blueberry.GrantEnvironmentsLogs)
	if err != nil {
		return nil, err
	}
	if e.Phase == blueberry.Terminated {
		return p.archivedContainers(ctx, id)
	}
	place, err := p.place(e.Target)
	if err != nil {
		return nil, err
	}
	reader, ok := place.Driver.(target.LogReader)
	if !ok {
		return nil, cannot("READ_LOGS", e.Target, "read logs")
	}
	list, err := reader.Containers(ctx, refOf(e))
	if err == nil && len(list) == 0 && (e.Phase == blueberry.Failed || e.Phase == blueberry.Terminating) {
		return p.archivedContainers(ctx, id)
	}
	return list, err
}

func (p *Provisioner) archivedContainers(ctx context.Context, id string) ([]target.Container, error) {
	if p.Bucket == nil {
		return nil, nil
	}
	index, err := p.readIndex(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read archived logs: %w", err)
	}
	var out []target.Container
	for _, f := range index.Files {
		if f.Container != "" && !f.Previous {
			out = append(out, target.Container{Component: f.Component, Pod: f.Pod, Name: f.Container, State: "archived"})
		}
	}
	return out, nil
}

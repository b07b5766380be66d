package provision

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// Bounds of the logs that are kept of one environment.
const (
	keptOfContainer = 1 << 20  // bytes: the last ones
	keptOfAll       = 16 << 20 // bytes
	keptLines       = 20_000   // of a container that are read
	keptRead        = 8 << 20  // bytes of a container that are read
	keepLogsWithin  = 20 * time.Second
	putWithin       = 30 * time.Second // one object
	archiveWithin   = 40 * time.Second // all objects that are written at once: less than a worker may take
)

// targetCheck is how long a target may take to say that it is there.
const targetCheck = 3 * time.Second

// ObjectsStore keeps the archives. A name is of lower-case letters, digits and . _ - in parts with slashes between.
type ObjectsStore interface {
	Put(ctx context.Context, name string, content io.Reader) error
	// Get is NotFound when there is no such object. The caller closes the reader.
	Get(ctx context.Context, name string) (io.ReadCloser, error)
	// Delete of what is not there is no error.
	Delete(ctx context.Context, name string) error
	// List gives names that begin with the prefix and come behind the name after, in the order of bytes.
	List(ctx context.Context, prefix, after string, limit int) ([]string, error)
}

// The files of an archive that something here reads again.
const (
	logIndexFile    = "logs/index.json"
	placeEventsFile = "logs/kubernetes-events.ndjson"
)

func objectName(environmentID, file string) string {
	return "environments/" + environmentID + "/" + file
}

// logIndex says what was kept of logs, and what was not.
type logIndex struct {
	State   blueberry.ArchiveState `json:"state"` // for which they were taken
	TakenAt time.Time              `json:"taken_at"`
	Files   []logFile              `json:"files"`
	Missing []string               `json:"missing,omitempty"`
}

type logFile struct {
	Name      string `json:"name"` // below the archive
	Component string `json:"component,omitempty"`
	Pod       string `json:"pod,omitempty"`
	Container string `json:"container,omitempty"`
	Previous  bool   `json:"previous,omitempty"` // of the run before
	Size      int64  `json:"size"`
	Cut       bool   `json:"cut,omitempty"` // there was more before it
}

// errTargetAway says that logs cannot be read because the whole target cannot be reached.
var errTargetAway = errors.New("the target cannot be reached")

// keepLogs keeps what the containers wrote before they go. A target that is down as a whole is waited for, since nothing could be removed either; one that
// only does not give logs is not. Of an outcome that is not nil the work ends there for now.
func (p *Provisioner) keepLogs(ctx context.Context, place Place, e blueberry.Environment, r *blueberry.Receipt, ledger []blueberry.LedgerEntry) (*blueberry.JobOutcome, error) {
	if p.Bucket == nil || len(ledger) == 0 {
		return nil, nil
	}
	_, err := p.collect(ctx, place, e, blueberry.ArchivedEnded)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, errTargetAway):
		return &blueberry.JobOutcome{Again: backstop}, p.blocked(ctx, e.ID, blueberry.Synced, blueberry.ReasonTargetUnavailable,
			blueberry.Errorf(blueberry.Unavailable, "TARGET_UNREACHABLE", "target %s cannot be reached", e.Target))
	case err != nil && p.Now().Sub(e.PhaseSince) < evidencePatience:
		p.Logger.Warn("keep logs", "environment", e.ID, "error", err)
		return &blueberry.JobOutcome{Again: retryRepository}, p.waits(ctx, e.ID, "waits to keep its logs: the objects cannot be written")
	case err != nil:
		p.Logger.Error("keep logs", "environment", e.ID, "error", err)
		note(r, fmt.Sprintf("its logs could not be kept: the objects could not be written for %s", evidencePatience))
	}
	return nil, nil
}

// collect puts the logs of an environment, and what its place noted about it, into its archive. The error is errTargetAway, or of the objects; what single
// containers do not give is noted as missing.
func (p *Provisioner) collect(ctx context.Context, place Place, e blueberry.Environment, state blueberry.ArchiveState) (logIndex, error) {
	index := logIndex{State: state, TakenAt: p.Now()}
	ctx, stop := context.WithTimeout(ctx, archiveWithin)
	defer stop()
	old, err := p.readIndex(ctx, e.ID)
	if err != nil {
		return index, err
	}
	within, cancel := context.WithTimeout(ctx, keepLogsWithin)
	defer cancel()
	c := collection{p: p, e: e, place: place, index: &index}
	if err := c.events(ctx, within); err != nil {
		return index, err
	}
	if err := c.logs(ctx, within); err != nil {
		return index, err
	}
	for _, f := range old.Files { // of pods that are gone by now
		if !slices.ContainsFunc(index.Files, func(x logFile) bool { return x.Name == f.Name }) {
			index.Files = append(index.Files, f)
		}
	}
	content, err := json.MarshalIndent(index, "", "  ")
	if err != nil {
		return index, fmt.Errorf("encode index of logs: %w", err)
	}
	return index, p.put(ctx, objectName(e.ID, logIndexFile), content)
}

func (p *Provisioner) put(ctx context.Context, name string, content []byte) error {
	ctx, cancel := context.WithTimeout(ctx, putWithin)
	defer cancel()
	return p.Bucket.Put(ctx, name, bytes.NewReader(content))
}

// readIndex reads what was kept of logs before; empty when nothing was.
func (p *Provisioner) readIndex(ctx context.Context, environmentID string) (index logIndex, err error) {
	ctx, cancel := context.WithTimeout(ctx, putWithin)
	defer cancel()
	f, err := p.Bucket.Get(ctx, objectName(environmentID, logIndexFile))
	if errors.Is(err, blueberry.NotFound) {
		return index, nil
	}
	if err != nil {
		return index, err
	}
	defer f.Close()
	if err := json.NewDecoder(f).Decode(&index); err != nil {
		return index, fmt.Errorf("decode index of logs: %w", err)
	}
	return index, nil
}

// collection is one run of collect.
type collection struct {
	p     *Provisioner
	e     blueberry.Environment
	place Place
	index *logIndex
	size  int64
}

func (c *collection) missing(format string, args ...any) {
	c.index.Missing = append(c.index.Missing, fmt.Sprintf(format, args...))
}

// away reports whether a target that gave an error cannot be reached as a whole.
func (c *collection) away(ctx context.Context, err error) bool {
	if !errors.Is(err, blueberry.Unavailable) {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, targetCheck)
	defer cancel()
	return errors.Is(c.place.Driver.Check(ctx), blueberry.Unavailable)
}

func (c *collection) events(ctx, within context.Context) error {
	reader, ok := c.place.Driver.(target.EventReader)
	if !ok {
		return nil
	}
	list, err := reader.Events(within, refOf(c.e))
	switch {
	case err != nil && c.away(ctx, err):
		return errTargetAway
	case err != nil:
		c.missing("the events of the target: %s", userText(err))
		return nil
	case len(list) == 0:
		return nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	for _, x := range list {
		if err := enc.Encode(placeEventLine{
			At: x.Last, First: x.First, Count: x.Count, Warning: x.Warning, Reason: x.Reason, Object: x.Object.String(), Component: x.Component,
			Source: x.Source, Message: blueberry.Redact(x.Message),
		}); err != nil {
			return fmt.Errorf("encode event of target: %w", err)
		}
	}
	return c.keep(ctx, logFile{Name: placeEventsFile}, b.Bytes())
}

type placeEventLine struct {
	At        time.Time `json:"at"`
	First     time.Time `json:"first"`
	Count     int       `json:"count"`
	Warning   bool      `json:"warning"`
	Reason    string    `json:"reason"`
	Object    string    `json:"object"`
	Component string    `json:"component,omitempty"`
	Source    string    `json:"source,omitempty"`
	Message   string    `json:"message"`
}

func (c *collection) keep(ctx context.Context, f logFile, content []byte) error {
	f.Size = int64(len(content))
	if err := c.p.put(ctx, objectName(c.e.ID, f.Name), content); err != nil {
		return err
	}
	c.index.Files = append(c.index.Files, f)
	c.size += f.Size
	return nil
}

func (c *collection) logs(ctx, within context.Context) error {
	reader, ok := c.place.Driver.(target.LogReader)
	if !ok {
		c.missing("all logs: the driver of target %s cannot read them", c.e.Target)
		return nil
	}
	list, err := reader.Containers(within, refOf(c.e))
	switch {
	case err != nil && c.away(ctx, err):
		return errTargetAway
	case err != nil:
		c.missing("all logs: %s", c.why(within, err))
		return nil
	}
	for _, x := range list {
		if err := c.container(ctx, within, reader, x, false); err != nil {
			return err
		}
		if x.Restarts > 0 {
			if err := c.container(ctx, within, reader, x, true); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *collection) why(within context.Context, err error) string {
	if within.Err() != nil {
		return fmt.Sprintf("they were not read within %s", keepLogsWithin)
	}
	return userText(err)
}

// container keeps the last lines of one container, each with its time before it.
func (c *collection) container(ctx, within context.Context, reader target.LogReader, x target.Container, previous bool) error {
	name := x.Name
	if previous {
		name += ".previous"
	}
	left := min(keptOfContainer, keptOfAll-c.size)
	if within.Err() != nil || left <= 0 {
		why := fmt.Sprintf("the archive holds %d MiB at most", keptOfAll>>20)
		if left > 0 {
			why = c.why(within, nil)
		}
		c.missing("%s of pod %s: %s", name, x.Pod, why)
		return nil
	}
	last := lastLines{most: int(left)}
	q := target.LogQuery{Pod: x.Pod, Container: x.Name, Tail: keptLines, MaxBytes: keptRead, Previous: previous}
	err := reader.Logs(within, refOf(c.e), q, func(l target.LogLine) error {
		last.add(l)
		return nil
	})
	if err != nil && last.empty() {
		if !previous || !errors.Is(err, blueberry.NotFound) { // a run before that left nothing is nothing missing
			c.missing("%s of pod %s: %s", name, x.Pod, c.why(within, err))
		}
		return nil
	}
	if err != nil {
		c.missing("the end of %s of pod %s: %s", name, x.Pod, c.why(within, err))
	}
	if last.empty() {
		return nil
	}
	f := logFile{Name: "logs/" + x.Pod + "/" + name + ".log", Component: x.Component, Pod: x.Pod, Container: x.Name, Previous: previous, Cut: last.cut}
	return c.keep(ctx, f, last.bytes())
}

// lastLines holds lines up to a number of bytes, and lets the first ones go.
type lastLines struct {
	most  int
	size  int
	lines []string
	cut   bool
}

func (b *lastLines) add(l target.LogLine) {
	text := l.At.UTC().Format(time.RFC3339Nano) + " " + l.Text + "\n"
	b.lines = append(b.lines, text)
	b.size += len(text)
	for b.size > b.most && len(b.lines) > 0 {
		b.size -= len(b.lines[0])
		b.lines[0] = ""
		b.lines = b.lines[1:]
		b.cut = true
	}
}

func (b *lastLines) empty() bool { return len(b.lines) == 0 }

func (b *lastLines) bytes() []byte {
	out := make([]byte, 0, b.size)
	for _, l := range b.lines {
		out = append(out, l...)
	}
	return out
}

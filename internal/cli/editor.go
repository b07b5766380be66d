package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/blueberry-idp/blueberry/sdk"
)

// edition is a text that someone edits: in their editor, until the server takes it or they give up.
type edition struct {
	*shared
	name    string // of the file, with the ending that editors know
	content string // as it is now
}

// edit opens the text in an editor and publishes what was saved. What the server refuses can be edited again. It reports false when there is nothing to
// publish. A text that was not published stays in its file, and where that is, is said.
func (e edition) edit(ctx context.Context, publish func(content string) error) (published bool, err error) {
	if !e.streams.InTerminal {
		return false, usageErrorf("there is no terminal for an editor: --file is needed")
	}
	dir, err := os.MkdirTemp("", "blueberry-")
	if err != nil {
		return false, fmt.Errorf("make a file to edit: %w", err)
	}
	file := filepath.Join(dir, e.name)
	if err := os.WriteFile(file, []byte(e.content), 0o600); err != nil {
		return false, fmt.Errorf("make a file to edit: %w", err)
	}
	keep := false
	defer func() {
		if keep {
			e.note("what you wrote is in %s", file)
			return
		}
		os.RemoveAll(dir)
	}()
	for {
		if err := e.open(ctx, file); err != nil {
			return false, err
		}
		data, err := e.read(file)
		if err != nil {
			keep = true
			return false, err
		}
		if string(data) == e.content {
			return false, nil
		}
		err = publish(string(data))
		if err == nil {
			return true, nil
		}
		keep = true
		var p *sdk.Problem
		if !errors.As(err, &p) || p.Status >= 500 || p.Status == 401 || p.Status == 403 || p.Status == 412 {
			return false, err // nothing that editing could mend
		}
		printError(e.streams, err)
		again, asked := e.confirm("Edit again?")
		if asked != nil || !again {
			return false, errors.Join(err, asked)
		}
		keep = false
	}
}

// open runs the editor on a file, with the terminal as its own.
func (e edition) open(ctx context.Context, file string) error {
	editor := first(e.streams.Getenv("VISUAL"), e.streams.Getenv("EDITOR"), "vi")
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", editor+` "$1"`, "sh", file) // the person's own choice, and a command line by custom
	if runtime.GOOS == "windows" {
		cmd = exec.CommandContext(ctx, "cmd", "/c", editor, file)
	}
	if in, ok := e.streams.In.(*os.File); ok {
		cmd.Stdin = in // anything else would be read to its end, with the answers to questions that follow
	}
	cmd.Stdout, cmd.Stderr = e.streams.Err, e.streams.Err
	if e.streams.OutTerminal {
		cmd.Stdout = e.streams.Out
	}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("editor %s: %w", editor, err)
	}
	return nil
}

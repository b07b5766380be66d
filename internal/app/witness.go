package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// witness is a file beside the record that holds the end of the audit as this server signed it last: whoever rewrites the record cannot have the server sign
// what is left of it.
type witness string

// Last is the end that was kept; 0 when none was.
func (w witness) Last(context.Context) (seq int64, hash string, err error) {
	text, err := os.ReadFile(string(w))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, "", nil
	}
	if err != nil {
		return 0, "", fmt.Errorf("read the end of the audit: %w", err)
	}
	number, hash, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	if seq, err = strconv.ParseInt(number, 10, 64); err != nil || len(hash) != 64 {
		return 0, "", fmt.Errorf("%s does not hold the end of the audit", string(w))
	}
	return seq, hash, nil
}

// Keep keeps an end, whole or not at all.
func (w witness) Keep(_ context.Context, seq int64, hash string) error {
	part, err := os.CreateTemp(filepath.Dir(string(w)), filepath.Base(string(w))+".*.part")
	if err != nil {
		return fmt.Errorf("keep the end of the audit: %w", err)
	}
	defer os.Remove(part.Name()) //nolint:errcheck // after the renaming it is not there
	_, err = fmt.Fprintf(part, "%d %s\n", seq, hash)
	if err := errors.Join(err, part.Close()); err != nil {
		return fmt.Errorf("keep the end of the audit: %w", err)
	}
	return os.Rename(part.Name(), string(w))
}

package supervise

import (
	"io"
	"os"
	"strings"
)

const (
	tailBytes = 16 << 10
	lineBytes = 400
)

// Tail is the last n lines of a file, long ones cut; nothing when it cannot be read.
func Tail(path string, n int) []string {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil
	}
	from := max(0, info.Size()-tailBytes)
	data, err := io.ReadAll(io.NewSectionReader(f, from, tailBytes))
	if err != nil {
		return nil
	}
	text := strings.TrimRight(string(data), "\n")
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	if from > 0 && len(lines) > 1 {
		lines = lines[1:] // the first is cut somewhere
	}
	lines = lines[max(0, len(lines)-n):]
	for i, l := range lines {
		if len(l) > lineBytes {
			lines[i] = strings.ToValidUTF8(l[:lineBytes], "") + "…"
		}
	}
	return lines
}

package render

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
)

// boundArchive refuses an archive that unpacks to more than a chart may hold, before anything of it is kept.
func boundArchive(data []byte) error {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return err
	}
	defer func() { _ = z.Close() }()
	n, err := io.Copy(io.Discard, io.LimitReader(z, maxChartSize+1))
	if err != nil {
		return err
	}
	if n > maxChartSize {
		return fmt.Errorf("unpacks to more than %d bytes: %w", maxChartSize, errTooBig)
	}
	return nil
}

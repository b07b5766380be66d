package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type archiveDownloadOptions struct {
	*shared
	to string
}

func newArchiveDownload(s *shared) *cobra.Command {
	o := &archiveDownloadOptions{shared: s}
	c := &cobra.Command{
		Use: "download ID [FILE]", Short: "Fetch what is kept of an environment",
		Long: `Writes one file of an archive to the output, or with --to all of its files, or the one that is named, into a directory.`,
		Example: `  blueberry archive download env_06d5xw7k3c8qf2v9m4n1r0t6ya receipt.json
  blueberry archive download env_06d5xw7k3c8qf2v9m4n1r0t6ya --to pr-42`,
		Args: between(1, 2), ValidArgsFunction: s.completeArchives, RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args) },
	}
	c.Flags().StringVar(&o.to, "to", "", "directory to write into; it is made if it is not there")
	return c
}

func (o *archiveDownloadOptions) run(ctx context.Context, args []string) error {
	if len(args) < 2 && o.to == "" {
		return usageErrorf("takes the name of a file, or --to a directory for all of them")
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	if o.to == "" {
		return client.DownloadArchiveFile(ctx, args[0], args[1], o.streams.Out)
	}
	a, err := client.GetArchive(ctx, args[0])
	if err != nil {
		return err
	}
	files := a.Files
	if len(args) == 2 {
		files = slices.DeleteFunc(slices.Clone(files), func(f sdk.ArchiveFile) bool { return f.Name != args[1] })
		if len(files) == 0 {
			return unknownError{fmt.Errorf("the archive has no file %q; blueberry archive get lists its files", args[1])}
		}
	}
	if err := os.MkdirAll(o.to, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(o.to) // a name of the server's leads nowhere else
	if err != nil {
		return err
	}
	defer root.Close()
	for _, f := range files {
		if err := o.fetch(ctx, client, root, args[0], f.Name); err != nil {
			return fmt.Errorf("fetch %s: %w", plainText(f.Name), err)
		}
		o.note("wrote %s, %d bytes", plainText(filepath.Join(o.to, filepath.FromSlash(f.Name))), f.Size)
	}
	return nil
}

func (o *archiveDownloadOptions) fetch(ctx context.Context, client *sdk.Client, root *os.Root, id, name string) (err error) {
	path := filepath.FromSlash(name)
	if err := root.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := root.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, file.Close()); err != nil {
			_ = root.Remove(path) // half a file looks whole
		}
	}()
	return client.DownloadArchiveFile(ctx, id, name, file)
}

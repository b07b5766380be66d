package app

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/blueberry-idp/blueberry/internal/source/sim"
)

// simHostOptions are what `blueberry sim-host` is told.
type simHostOptions struct {
	listen, dir, token, owner string
	faults, json              bool
}

// simHostCommand runs a small Git host. It talks to no server, and the server knows it as any other host.
func simHostCommand() *cobra.Command {
	o := &simHostOptions{}
	cmd := &cobra.Command{
		Use:   "sim-host",
		Short: "Run a small Git host, for trying out pull requests without an account",
		Long: `Run a small Git host that speaks as Gitea does: repositories over HTTP, pull requests, comments, statuses and
webhooks. It has one token, which may do everything; whoever reaches the address reads what is not private.
It serves plain HTTP and is made for this machine and for tests, not for keeping anybody's code.

Without --token the token is kept in the file token of the directory, and made at the first start. With --faults,
POST /sim/faults loses, doubles and reorders webhooks and has calls of the API fail, on purpose.`,
		Example: `  blueberry sim-host --owner acme
  blueberry sim-host --listen 127.0.0.1:0 --dir /tmp/host --token secret --owner acme --faults --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f := cmd.Flag("output"); f != nil && f.Value.String() == "json" {
				o.json = true
			}
			return untilSignal(cmd.Context(), func(ctx context.Context) error { return o.run(ctx, cmd.OutOrStdout(), cmd.ErrOrStderr()) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:7082", "address to listen on; port 0 takes a free one")
	f.StringVar(&o.dir, "dir", "blueberry-sim-host", "directory of the repositories and the state")
	f.StringVar(&o.token, "token", "", "token of the owner; empty means that of the file token in the directory")
	f.StringVar(&o.owner, "owner", "acme", "name of the owner of everything")
	f.BoolVar(&o.faults, "faults", false, "serve POST /sim/faults")
	f.BoolVar(&o.json, "json", false, "tell the address as one line of JSON")
	return cmd
}

func (o *simHostOptions) run(ctx context.Context, out, errOut io.Writer) error {
	tokenFile := ""
	if o.token == "" {
		tokenFile = filepath.Join(o.dir, "token")
		token, err := keptToken(tokenFile)
		if err != nil {
			return err
		}
		o.token = token
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer func() { _ = listener.Close() }()
	logger := slog.New(slog.NewTextHandler(errOut, nil))
	address := "http://" + listener.Addr().String()
	host, err := sim.Open(ctx, sim.Options{Dir: o.dir, URL: address, Owner: o.owner, Token: o.token, Faults: o.faults, Logger: logger})
	if err != nil {
		return err
	}
	if err := o.tell(out, address, tokenFile); err != nil {
		return err
	}
	srv := &http.Server{
		Handler: host, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
	// Webhooks are sent until the last request is answered, so that what is counted is kept.
	sending, stopSending := context.WithCancel(context.WithoutCancel(ctx))
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return host.Run(sending) })
	g.Go(func() error {
		if err := srv.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		defer stopSending()
		<-ctx.Done()
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := srv.Shutdown(late); err != nil {
			return srv.Close()
		}
		return nil
	})
	return g.Wait()
}

// tell says where the host is.
func (o *simHostOptions) tell(out io.Writer, address, tokenFile string) error {
	if o.json {
		js, err := json.Marshal(struct {
			URL       string `json:"url"`
			API       string `json:"api"`
			Owner     string `json:"owner"`
			TokenFile string `json:"token_file,omitempty"`
		}{address, address + "/api/v1", o.owner, tokenFile})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "%s\n", js)
		return err
	}
	where := "given"
	if tokenFile != "" {
		where = "in " + tokenFile
	}
	_, err := fmt.Fprintf(out, "Git host at %s (API %s/api/v1), owner %s, token %s\n", address, address, o.owner, where)
	return err
}

// keptToken reads the token of a file, and makes it when it is not there.
func keptToken(file string) (string, error) {
	kept, err := os.ReadFile(file)
	if err == nil {
		return strings.TrimSpace(string(kept)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the token: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return "", fmt.Errorf("make the directory: %w", err)
	}
	token := rand.Text()
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keep the token: %w", err)
	}
	return token, nil
}

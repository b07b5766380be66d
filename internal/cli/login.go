package cli

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type loginOptions struct {
	*shared
	noBrowser, insecureStorage bool
}

func newLogin(s *shared) *cobra.Command {
	o := &loginOptions{shared: s}
	c := &cobra.Command{
		Use: "login", Short: "Log in at a server",
		Long: `Logs in with a browser: it shows an address and a code, and waits until you have let it in there, on this machine or any other. With --token-file it keeps an API token instead; - reads it from the terminal, where it is not shown, or from the input.

The server and the login become a context, which is the current one from then on: of the name that --context gives, else that of the server. The credential is kept in the keyring of the operating system, or in a file that only you may read where there is none, or with --insecure-storage.`,
		Example: `  blueberry login --server https://blueberry.example.com
  blueberry login --server https://blueberry.example.com --context prod --no-browser
  blueberry login --server https://blueberry.example.com --token-file token.txt`,
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	c.Flags().BoolVar(&o.noBrowser, "no-browser", false, "do not open a browser here")
	c.Flags().BoolVar(&o.insecureStorage, "insecure-storage", false, "keep the credential in a file, though there is a keyring")
	return c
}

func (o *loginOptions) run(ctx context.Context) error {
	x, err := o.target()
	if err != nil {
		return err
	}
	if u, _ := url.Parse(x.Server); u.Scheme == "http" && !isLoopback(u.Hostname()) {
		o.note("%s is not encrypted: whoever listens on the way can take the login", x.Server)
	}
	var c credential
	if o.tokenFile != "" {
		c.Token, err = o.secret(o.tokenFile, "API token")
	} else {
		var pair sdk.TokenPair
		pair, err = o.byDevice(ctx, x.Server)
		c.TokenPair = &pair
	}
	if err != nil {
		return err
	}
	client := o.clientAt(x.Server)
	client.Token = c.Token
	if c.TokenPair != nil {
		client.Token = c.Access
	}
	account, err := client.GetAccount(ctx)
	if err != nil {
		return err
	}
	x.User = first(account.OnBehalfOf, account.Name)
	if x, err = o.keep(ctx, x, c); err != nil {
		return err
	}
	return o.print(result{value: x, names: []string{x.Name}, text: func(w io.Writer, _ bool) {
		fmt.Fprintf(w, "logged in at %s as %s; context %s is the current one\n", plainText(x.Server), dash(x.User), x.Name)
	}})
}

// target is the context that the login is for. One that is named need not be there yet.
func (o *loginOptions) target() (serverContext, error) {
	all, err := o.contexts()
	if err != nil {
		return serverContext{}, err
	}
	known, there := all.find(first(o.context, o.streams.Getenv("BLUEBERRY_CONTEXT")))
	if !there && o.context == "" {
		known, there = all.find(all.Current)
	}
	named := o.server
	if named == "" && (o.context == "" || !there) {
		named = o.streams.Getenv("BLUEBERRY_URL")
	}
	if named == "" && there {
		named = known.Server
	}
	var wrong mistakes
	address, err := checkAddress(first(named, defaultServer))
	wrong.check(err)
	wrong.add(o.context != "" && !contextName.MatchString(o.context), "--context %q is not a name: lower-case letters, digits, dots and dashes", o.context)
	if err := wrong.err(); err != nil {
		return serverContext{}, err
	}
	x := serverContext{Name: o.context, Server: address}
	for _, c := range all.Contexts {
		if x.Name == "" && c.Server == address {
			x.Name = c.Name
		}
	}
	if x.Name == "" {
		x.Name = nameOfServer(address)
		if c, taken := all.find(x.Name); taken && c.Server != address {
			return x, usageErrorf("context %s is of the server %s: --context is needed to name this one", c.Name, c.Server)
		}
	}
	return x, nil
}

var notInName = regexp.MustCompile(`[^a-z0-9.-]+`)

// nameOfServer makes the name of a context of the address of its server.
func nameOfServer(address string) string {
	_, host, _ := strings.Cut(address, "://")
	name := strings.Trim(notInName.ReplaceAllString(strings.ToLower(host), "-"), ".-")
	if len(name) > 63 {
		name = strings.TrimRight(name[:63], ".-")
	}
	return first(name, "server")
}

func isLoopback(host string) bool {
	return host == "localhost" || strings.HasPrefix(host, "127.") || host == "::1"
}

// byDevice shows the code and waits for the person.
func (o *loginOptions) byDevice(ctx context.Context, server string) (sdk.TokenPair, error) {
	login := &sdk.DeviceLogin{BaseURL: server, ID: cliClient, Scopes: []string{"*:*", "offline_access"}}
	code, err := login.Start(ctx)
	if err != nil {
		return sdk.TokenPair{}, err
	}
	fmt.Fprintf(o.streams.Err, "Open %s and enter the code %s\n", plainText(code.URL), plainText(code.UserCode)) // also with -q: nobody could go on without it
	if !o.noBrowser && o.streams.ErrTerminal && o.streams.InTerminal && o.streams.Browse != nil && isPage(code.URLFilled) {
		if err := o.streams.Browse(code.URLFilled); err != nil {
			o.note("no browser could be opened here: %s", plainText(err.Error()))
		}
	}
	o.note("It waits for you until %s.", code.ExpiresAt.Local().Format("15:04"))
	return login.Wait(ctx, code)
}

// isPage reports whether an address may be given to a browser: it comes from the server, and could name a file or a program.
func isPage(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}

// keep keeps the credential and makes its context the current one. The credential before goes.
func (o *loginOptions) keep(ctx context.Context, x serverContext, c credential) (serverContext, error) {
	x.Key, x.Store = credentialKey(x.Name), inFile
	if o.streams.Keyring != nil && !o.insecureStorage {
		x.Store = inKeyring
		if err := o.saveCredential(x, c); err != nil {
			o.note("%s: it is kept in a file instead", plainText(err.Error()))
			x.Store = inFile
		}
	}
	if x.Store == inFile {
		if err := o.saveCredential(x, c); err != nil {
			return x, err
		}
	}
	var before serverContext
	err := o.changeContexts(ctx, func(all *contexts) error {
		before, _ = all.find(x.Name)
		all.put(x)
		all.Current = x.Name
		return nil
	})
	if err != nil {
		return x, err
	}
	if err := o.forgetCredential(before); err != nil {
		o.note("the credential before is still there: %s", plainText(err.Error()))
	}
	return x, nil
}

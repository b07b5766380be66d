package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"charm.land/fang/v2"
	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

// The exit codes. `blueberry help exit-codes` explains them; scripts rely on them.
const (
	ExitDone        = 0
	ExitError       = 1
	ExitUsage       = 2
	ExitDifference  = 2 // with --plan and --exit-code, as diff and terraform do
	ExitRefused     = 3
	ExitDenied      = 4
	ExitFailed      = 5
	ExitTimeout     = 6
	ExitUnreachable = 7
	ExitServer      = 8
	ExitInterrupted = 130
)

// Execute runs the command that the arguments name, prints what went wrong, and gives the exit code.
func Execute(ctx context.Context, root *cobra.Command, streams Streams) int {
	var failed error
	keepErrors(root, &failed)
	err := fang.Execute(ctx, root, fang.WithVersion(root.Version), fang.WithErrorHandler(func(_ io.Writer, _ fang.Styles, err error) {
		printError(streams, err)
	}))
	if failed != nil {
		var outcome outcomeError
		if errors.As(failed, &outcome) {
			return outcome.code
		}
		printError(streams, failed)
		err = failed
	}
	return exitCode(err)
}

// keepErrors takes the errors of commands aside. Fang styles every error that it is given, and for that asks the terminal for its background: the
// answer would be typed into what the person does next, and a terminal that gives none is waited for.
func keepErrors(c *cobra.Command, failed *error) {
	if run := c.RunE; run != nil {
		c.RunE = func(c *cobra.Command, args []string) error {
			*failed = run(c, args)
			return nil
		}
	}
	for _, sub := range c.Commands() {
		keepErrors(sub, failed)
	}
}

// usageError is a mistake in the command line.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usageErrorf(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// deniedError is a call that cannot be made for lack of a token.
type deniedError struct{ err error }

func (e deniedError) Error() string { return e.err.Error() }

// refusedError is a refusal that this side finds: a name that stands for nothing.
type refusedError struct{ err error }

func (e refusedError) Error() string { return e.err.Error() }

// failedError is a wait whose environment will not get there.
type failedError struct{ env sdk.Environment }

func (e failedError) Error() string {
	text := fmt.Sprintf("%s is %s: %s", e.env.Name, e.env.Phase, e.env.Reason)
	if e.env.Message != "" {
		text += ": " + e.env.Message
	}
	return text
}

// errTimedOut ends a wait at its --timeout.
var errTimedOut = errors.New("time is up")

func exitCode(err error) int {
	var (
		usage       usageError
		denied      deniedError
		refused     refusedError
		failed      failedError
		problem     *sdk.Problem
		oauth       *sdk.OAuthError
		unreachable *sdk.UnreachableError
	)
	switch {
	case err == nil:
		return ExitDone
	case errors.As(err, &usage):
		return ExitUsage
	case errors.As(err, &denied):
		return ExitDenied
	case errors.As(err, &refused):
		return ExitRefused
	case errors.As(err, &failed):
		return ExitFailed
	case errors.Is(err, errTimedOut):
		return ExitTimeout
	case errors.As(err, &problem):
		switch {
		case problem.Status == http.StatusUnauthorized || problem.Status == http.StatusForbidden:
			return ExitDenied
		case problem.Status >= 500 || problem.Status == http.StatusTooManyRequests:
			return ExitServer
		}
		return ExitRefused
	case errors.As(err, &oauth):
		if oauth.Status >= 500 || oauth.Status == http.StatusTooManyRequests {
			return ExitServer
		}
		return ExitDenied
	case errors.As(err, &unreachable):
		return ExitUnreachable
	case errors.Is(err, context.Canceled):
		return ExitInterrupted
	}
	return ExitError
}

// printError says what went wrong: the sentence, then each fault on a line of its own, then what may help.
func printError(s Streams, err error) {
	label := "Error:"
	if s.colours(s.ErrTerminal) {
		label = paint(red, label)
	}
	var problem *sdk.Problem
	var usage usageError
	switch {
	case errors.As(err, &problem):
		detail := problem.Detail
		if detail == "" {
			detail = problem.Title
		}
		fmt.Fprintln(s.Err, label, plainText(detail))
		for _, f := range problem.Errors {
			fmt.Fprintln(s.Err, "  "+plainText(f.String()))
		}
		if problem.Status == http.StatusUnauthorized {
			fmt.Fprintln(s.Err, "The token comes from --token-file, $BLUEBERRY_TOKEN, $BLUEBERRY_TOKEN_FILE, the context of blueberry login, or the state directory; blueberry login gets another.")
		}
		if problem.Status >= 500 && problem.RequestID != "" {
			fmt.Fprintln(s.Err, "The server's log tells more under the request id "+plainText(problem.RequestID)+".")
		}
	case errors.As(err, &usage) || isUsage(err):
		fmt.Fprintln(s.Err, label, err.Error())
		fmt.Fprintln(s.Err, "Add --help to see how it is used.")
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(s.Err, label, "interrupted")
	case isEnded(err):
		fmt.Fprintln(s.Err, label, "the login has ended: it was revoked, or was not used for too long")
		fmt.Fprintln(s.Err, "blueberry login begins another.")
	default:
		fmt.Fprintln(s.Err, label, plainText(err.Error()))
	}
}

// isUsage knows the mistakes that cobra finds before it asks us.
func isUsage(err error) bool { return strings.HasPrefix(err.Error(), "unknown command") }

// isEnded knows a login that gives nothing any more.
func isEnded(err error) bool {
	var refused *sdk.OAuthError
	return errors.As(err, &refused) && refused.Code == "invalid_grant"
}

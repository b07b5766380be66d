package cli

import "github.com/spf13/cobra"

// newExitCodes is a help topic: it has text and does nothing.
func newExitCodes() *cobra.Command {
	return &cobra.Command{
		Use:   "exit-codes",
		Short: "What the exit codes mean",
		Long: `Every client command ends with one of these codes:

    0  done; with --wait: the environment is ready, or gone
    1  something failed on this side: a file, the output; with audit verify: the export does not hold; with target check: the target lacks what it needs; with subscription test and preferences test: it was not delivered
    2  the command line is wrong; with --plan: the plan has a difference and was not applied; with --exit-code: there is drift
    3  the server refused the call: a field is not valid, the name is taken or unknown, the state does not allow it; with --plan: the plan cannot be applied
    4  not allowed: no token or login, one that is not valid any more, or a grant that it lacks
    5  the environment failed, or went away, while it was waited for
    6  --timeout ended the wait; the server goes on with its work
    7  the server could not be reached
    8  the server failed, or is busy; the same call may succeed later
  130  interrupted

blueberry env exec ends with the code of the command that it ran. What keeps the command from running to its end is told by the codes above.`,
	}
}

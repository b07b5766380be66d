package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type auditVerifyOptions struct {
	*shared
	keys []string
	head string
}

func newAuditVerify(s *shared) *cobra.Command {
	o := &auditVerifyOptions{shared: s}
	c := &cobra.Command{
		Use: "verify FILE", Short: "Verify an export of the audit, without a server",
		Long: `Proves that an export is whole and that nothing in it was changed: the hash of every entry, the chain, and the signatures of the checkpoints. It ends with exit code 1 and names the first entry that does not fit. No server is asked; - reads the input.

Whoever makes a whole file anew signs it with a key of their own: --key names the keys that are trusted, as an earlier export told them.`,
		Example: `  blueberry audit verify audit.jsonl
  blueberry audit verify audit.jsonl --key key_06d5xw7k3c8qf2v9m4n1r0t6ya --head 1042:fcde2b2e…`,
		Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	c.Flags().StringSliceVar(&o.keys, "key", nil, "signing key that is trusted: its id, or the SHA-256 of the public key in hex; repeatable")
	c.Flags().StringVar(&o.head, "head", "", "entry that is known to be in the chain, as SEQ:HASH: the end of an earlier export")
	return c
}

func (o *auditVerifyOptions) run(ctx context.Context, arg string) error {
	options := sdk.AuditVerifyOptions{Keys: o.keys}
	if o.head != "" {
		seq, hash, ok := strings.Cut(o.head, ":")
		n, err := strconv.ParseInt(seq, 10, 64)
		if !ok || err != nil || hash == "" {
			return usageErrorf("--head %q is not SEQ:HASH", o.head)
		}
		options.Head = &sdk.AuditHead{Seq: n, Hash: hash}
	}
	in := o.streams.In
	if arg != "-" {
		f, err := os.Open(arg)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	report, err := sdk.VerifyAudit(in, options)
	var fault *sdk.AuditFault
	if err != nil && !errors.As(err, &fault) {
		return err
	}
	if fault != nil {
		if o.output == "json" || o.output == "yaml" {
			return errors.Join(o.print(result{value: verified{Fault: fault}}), fault)
		}
		return fmt.Errorf("%s does not hold: %w", arg, fault)
	}
	err = o.print(result{value: verified{Holds: true, Report: &report}, names: []string{fmt.Sprintf("%d:%s", report.Head.Seq, report.Head.Hash)}, text: func(w io.Writer, _ bool) {
		printAuditReport(w, report)
	}})
	if !report.Trusted {
		o.note("the file fits together, but none of its keys was given as trusted: --key pins them")
	}
	return err
}

// verified is what is known of an export.
type verified struct {
	Holds  bool             `json:"holds"`
	Report *sdk.AuditReport `json:"report,omitempty"`
	Fault  *sdk.AuditFault  `json:"fault,omitempty"`
}

func printAuditReport(w io.Writer, r sdk.AuditReport) {
	var f facts
	f.add("holds", "yes")
	scope := "the whole chain"
	if !r.Whole {
		scope = "entries that a query chose"
	}
	f.add("scope", scope)
	f.add("entries", strconv.Itoa(r.Entries))
	f.add("head", fmt.Sprintf("%d:%s", r.Head.Seq, r.Head.Hash))
	f.add("checkpoints", strconv.Itoa(r.Checkpoints))
	f.add("exported", r.ExportedAt+" by "+r.ExportedBy)
	f.add("signed by", r.SignedBy)
	for _, k := range r.Keys {
		given := ", from the file itself"
		if k.Given {
			given = ", trusted"
		}
		f.add("key", k.ID+given)
	}
	f.print(w)
}

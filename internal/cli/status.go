package cli

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type statusOptions struct{ *shared }

func newStatus(s *shared) *cobra.Command {
	o := &statusOptions{s}
	return &cobra.Command{
		Use: "status", Short: "Show how the server is, and all that it leans on", Args: exactly(0),
		Long: `Asks the record, the GitOps repository, targets and all else that the server leans on how they are, and shows what to do about what is not well.
Whatever does not answer within 3 seconds is down. Parts without a time were not asked: of them it shows what is known.`,
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
}

func (o *statusOptions) run(ctx context.Context) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	found, err := client.GetSystemStatus(ctx)
	if err != nil {
		return err
	}
	err = o.print(result{value: found, names: each(found.Parts, systemPartName), table: func(bool) table {
		t := table{head: []string{"PART", "DRIVER", "STATE", "TOOK", "MESSAGE", "FIX"}, empty: "no parts"}
		for _, p := range found.Parts {
			took := "-"
			if p.TookMS > 0 {
				took = strconv.FormatFloat(p.TookMS, 'f', 1, 64) + "ms"
			}
			t.rows = append(t.rows, []cell{plainCell(systemPartName(p)), plainCell(p.Driver), partCell(p.State), plainCell(took), plainCell(p.Message), plainCell(p.Fix)})
		}
		return t
	}})
	if err != nil {
		return err
	}
	o.note("server %s on %s is %s, for %s; migration %d of %d", plainText(found.Version), plainText(found.Host), plainText(found.State),
		span(found.At.Sub(found.StartedAt).Round(time.Minute)), found.Migration, found.WantMigration)
	for _, j := range found.Jobs {
		if j.State == "dead" && j.Count > 0 {
			o.note("%d jobs are dead; blueberry job list --state dead shows them", j.Count)
		}
	}
	return nil
}

func systemPartName(p sdk.SystemPart) string {
	if p.Name == "" {
		return p.Kind
	}
	return fmt.Sprintf("%s %s", p.Kind, p.Name)
}

func partCell(state string) cell {
	switch state {
	case "up":
		return cell{state, green}
	case "warning":
		return cell{state, yellow}
	case "down":
		return cell{state, red}
	}
	return cell{plainText(state), grey}
}

package custody

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// KeyState is one key.
type KeyState struct {
	ID     string
	Newest bool
	InUse  bool // whether something in the record is sealed with it
}

// Keys lists the keys, the newest first.
func (c *Custody) Keys(ctx context.Context, actor blueberry.Actor) ([]KeyState, error) {
	if err := actor.Can(blueberry.GrantKeysRead); err != nil {
		return nil, err
	}
	used, err := c.Sealed.KeysInUse(ctx)
	if err != nil {
		return nil, fmt.Errorf("find keys in use: %w", err)
	}
	var out []KeyState
	for i, id := range c.Keyset.KeyIDs() {
		out = append(out, KeyState{ID: id, Newest: i == 0, InUse: slices.Contains(used, id)})
	}
	return out, nil
}

// RotateKeys makes a new key and leaves the job that brings everything to it. The key stands in the keyset before the job does: a death between the two leaves a
// key that is used for what is written from then on, and the next rotation or sweep brings the rest along.
func (c *Custody) RotateKeys(ctx context.Context, actor blueberry.Actor) (string, error) {
	if err := actor.Can(blueberry.GrantKeysRotate); err != nil {
		return "", err
	}
	before := c.Keyset.KeyIDs()[0]
	id, err := c.Keyset.Rotate(ctx)
	if err != nil {
		return "", fmt.Errorf("rotate keys: %w", err)
	}
	return id, c.Record.Update(ctx, func(tx Tx) error {
		if err := tx.Enqueue(ctx, blueberry.JobKeysReencrypt, id); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, blueberry.AuditEntry{
			At: c.Now(), Actor: actor, Action: string(blueberry.GrantKeysRotate), Resource: id, Detail: "a new key encrypts secrets",
			Before: blueberry.AuditFields(map[string]any{"key": before}), After: blueberry.AuditFields(map[string]any{"key": id}),
		})
	})
}

// reencryptAgain is how long a run waits for values that other servers wrote with the key before, until they had to know of the new one.
const reencryptAgain = 5 * time.Second

// pruneAgain is how long a run waits for a key to be old enough that it can go.
const pruneAgain = 10 * time.Minute

// Reencrypt is the worker: it seals everything anew that is not sealed by the newest key, then removes keys that nothing is sealed with.
func (c *Custody) Reencrypt(ctx context.Context, _ blueberry.Job) (blueberry.JobOutcome, error) {
	n, err := c.Sealed.Reencrypt(ctx)
	if err != nil {
		return blueberry.JobOutcome{}, fmt.Errorf("encrypt anew: %w", err)
	}
	used, err := c.Sealed.KeysInUse(ctx)
	if err != nil {
		return blueberry.JobOutcome{}, fmt.Errorf("find keys in use: %w", err)
	}
	if newest := c.Keyset.KeyIDs()[0]; slices.ContainsFunc(used, func(id string) bool { return id != newest }) {
		return blueberry.JobOutcome{Again: reencryptAgain}, nil
	}
	removed, err := c.Keyset.Prune(ctx, used)
	if err != nil {
		return blueberry.JobOutcome{}, fmt.Errorf("remove keys: %w", err)
	}
	c.Logger.InfoContext(ctx, "secrets are encrypted anew", "values", n, "keys_removed", len(removed))
	if len(c.Keyset.KeyIDs()) > 1 {
		return blueberry.JobOutcome{Again: pruneAgain}, nil
	}
	return blueberry.JobOutcome{}, nil
}

package access

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// EnsureAdmin makes sure that the token in file is known as the admin's. At the first start there is no file: it makes one, readable by its owner
// alone, and reports true. The file is written before the record, so a start that is cut off between the two goes on where it was.
func (g *Gate) EnsureAdmin(ctx context.Context, file string) (created bool, err error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		created = true
		text, err = writeToken(file)
	}
	if err != nil {
		return false, fmt.Errorf("read admin token: %w", err)
	}
	token := string(bytes.TrimSpace(text))
	sum, ok := HashSecret(TokenPrefix, token)
	if !ok {
		return false, fmt.Errorf("read admin token: %s does not hold a token; remove it to have a new one made", file)
	}
	err = g.Record.Update(ctx, func(tx Tx) error {
		_, err := tx.TokenByHash(ctx, sum)
		if !isNotFound(err) {
			return err
		}
		now := g.Now()
		return tx.InsertToken(ctx, blueberry.APIToken{
			ID: blueberry.NewID(blueberry.TokenID, now), Name: "admin", Hash: sum, Hint: hint(token), Grants: blueberry.RoleOwner.Grants(),
			CreatedAt: now, CreatedBy: blueberry.System().Name, Version: 1,
		})
	})
	if err != nil {
		return false, fmt.Errorf("record admin token: %w", err)
	}
	return created, nil
}

// writeToken makes a token and a file that holds it.
func writeToken(file string) ([]byte, error) {
	token, _ := NewSecret(TokenPrefix)
	return []byte(token), writePrivate(file, token+"\n")
}

// hint is the end of a secret, by which people tell tokens apart: its checksum, which tells nothing that helps to guess the rest.
func hint(secret string) string { return secret[max(0, len(secret)-4):] }

package access

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

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

// writeToken makes a token and a file that holds it, whole or not at all.
func writeToken(file string) ([]byte, error) {
	token, _ := NewSecret(TokenPrefix)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, err
	}
	part := file + ".part"
	if err := os.WriteFile(part, []byte(token+"\n"), 0o600); err != nil {
		return nil, err
	}
	return []byte(token), os.Rename(part, file)
}

// hash is what the record keeps. A secret has 256 bits of its own, so a fast hash is enough.
func hash(secret string) []byte {
	h := sha256.Sum256([]byte(secret))
	return h[:]
}

// hint is the end of a secret, by which people tell tokens apart: its checksum, which tells nothing that helps to guess the rest.
func hint(secret string) string { return secret[max(0, len(secret)-4):] }

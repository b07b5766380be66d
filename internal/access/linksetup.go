package access

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// NewOwner is the first owner of an installation.
type NewOwner struct {
	Email    string
	Name     string
	Password string
}

// EnsureSetup gives the address at which the first owner makes their account, while there is none, and writes it to a file that only this process's user can
// read. It is told once: every start makes a new one, and the one before in that file worthless. Other servers on the record have links of their own. With an
// owner there is nothing to set up: the address is empty, no link works any more, and the file goes away.
func (s *SignIn) EnsureSetup(ctx context.Context, file string) (address string, err error) {
	secret, hash := NewSecret(LinkPrefix)
	before, err := setupLinkIn(file)
	if err != nil {
		return "", err
	}
	needed := false
	err = s.Record.Update(ctx, func(tx Tx) error {
		now := s.Now()
		owners, err := tx.CountOwners(ctx)
		if err != nil {
			return err
		}
		if needed = owners == 0; !needed {
			return tx.DropLinks(ctx, blueberry.LinkSetup, "", now)
		}
		if err := s.endLink(ctx, tx, before); err != nil {
			return err
		}
		return tx.InsertLink(ctx, blueberry.Link{
			ID: blueberry.NewID(blueberry.LinkID, now), Kind: blueberry.LinkSetup, Hash: hash, CreatedAt: now, ExpiresAt: now.Add(blueberry.SetupLife),
		})
	})
	if err != nil {
		return "", fmt.Errorf("make set-up link: %w", err)
	}
	if !needed {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("remove set-up link: %w", err)
		}
		return "", nil
	}
	address = linkAddress(s.PublicURL, blueberry.LinkSetup, secret)
	if err := writePrivate(file, address+"\n"); err != nil {
		return "", fmt.Errorf("write set-up link: %w", err)
	}
	return address, nil
}

// setupLinkIn is the hash of the link that a file holds; nil for none.
func setupLinkIn(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read set-up link: %w", err)
	}
	_, secret, _ := strings.Cut(strings.TrimSpace(string(text)), "?link=")
	hash, _ := HashSecret(LinkPrefix, secret)
	return hash, nil
}

// endLink makes a link worthless that may have been used already, or be none.
func (s *SignIn) endLink(ctx context.Context, tx Tx, hash []byte) error {
	if hash == nil {
		return nil
	}
	l, err := tx.LinkByHash(ctx, hash)
	if err == nil && l.Live(s.Now()) {
		err = tx.UseLink(ctx, l.ID, s.Now())
	}
	if errors.Is(err, blueberry.NotFound) || errors.Is(err, blueberry.Conflict) {
		return nil
	}
	return err
}

// writePrivate writes a file that only its owner can read, whole or not at all, whatever was there before.
func writePrivate(file, text string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	part, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*.part") // with the mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(part.Name()) //nolint:errcheck // after the renaming it is not there
	_, err = part.WriteString(text)
	if err := errors.Join(err, part.Sync(), part.Close()); err != nil {
		return err
	}
	return os.Rename(part.Name(), file)
}

// CompleteSetup makes the first owner and signs them in. It works once, and only while there is no owner.
func (s *SignIn) CompleteSetup(ctx context.Context, link string, o NewOwner, from From) (Entered, error) {
	now := s.Now()
	u := blueberry.User{
		ID: blueberry.NewID(blueberry.UserID, now), Email: blueberry.NormalEmail(o.Email), Name: o.Name, Status: blueberry.UserActive, Owner: true,
		CreatedAt: now, UpdatedAt: now, Version: 1,
	}
	if err := s.Record.View(ctx, func(tx Tx) error {
		_, err := s.liveLink(ctx, tx, blueberry.LinkSetup, link) // before the work of a hash
		return err
	}); err != nil {
		return Entered{}, err
	}
	var faults blueberry.Faults
	faults.CheckEmail("email", u.Email)
	checkLine(&faults, "name", u.Name, blueberry.MaxPersonName)
	hashed, e, err := s.chosen(ctx, faults, o.Password, u, from, "password")
	if err != nil {
		return Entered{}, err
	}
	err = s.Record.Update(ctx, func(tx Tx) error {
		l, err := s.liveLink(ctx, tx, blueberry.LinkSetup, link)
		if err != nil {
			return err
		}
		owners, err := tx.CountOwners(ctx)
		if err != nil {
			return err
		}
		if owners > 0 {
			return errLink()
		}
		if err := s.useLink(ctx, tx, l); err != nil {
			return err
		}
		if err := tx.InsertUser(ctx, u); err != nil {
			return err
		}
		if err := tx.PutCredentials(ctx, blueberry.Credentials{UserID: u.ID, Password: hashed, PasswordChangedAt: now}); err != nil {
			return err
		}
		return errors.Join(tx.BumpAccessEpoch(ctx), s.audit(ctx, tx, blueberry.AuditEntry{
			Actor: personActor(u, ""), Action: "installation:set-up", Resource: u.ID, Detail: "made the first owner " + u.Email,
			After: blueberry.AuditFields(map[string]any{"email": u.Email, "owner": true}),
		}), s.open(ctx, tx, e))
	})
	if err != nil {
		return Entered{}, doing("set up", err)
	}
	return e.entered, nil
}

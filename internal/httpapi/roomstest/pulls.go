package roomstest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// Sign gives the headers by which a generic host says that it sent a body now.
func Sign(secret, body string) http.Header {
	now := strconv.FormatInt(time.Now().Unix(), 10)
	sum := hmac.New(sha256.New, []byte(secret))
	sum.Write([]byte(now + "." + body))
	return http.Header{
		"Content-Type": {"application/json"}, "X-Blueberry-Timestamp": {now}, "X-Blueberry-Signature": {"sha256=" + hex.EncodeToString(sum.Sum(nil))},
	}
}

// pullEnvironments has pull requests make, move and end environments as people do.
type pullEnvironments struct {
	provisioner *provision.Provisioner
	store       *storetest.Store
}

// Environment reads one.
func (p pullEnvironments) Environment(ctx context.Context, id string) (e blueberry.Environment, err error) {
	err = p.store.View(ctx, func(tx *store.Tx) (err error) {
		e, err = tx.Environment(ctx, id)
		return err
	})
	return e, err
}

// Cost is what one costs now, and has cost.
func (p pullEnvironments) Cost(ctx context.Context, id string) (*blueberry.EnvironmentCost, error) {
	return p.provisioner.Cost(ctx, blueberry.System(), id)
}

// Receipt reads that of the removal of one.
func (p pullEnvironments) Receipt(ctx context.Context, id string) (r blueberry.Receipt, err error) {
	err = p.store.View(ctx, func(tx *store.Tx) (err error) {
		r, err = tx.Receipt(ctx, id)
		return err
	})
	return r, err
}

// Made gives the one that was made with the key before.
func (p pullEnvironments) Made(ctx context.Context, actor blueberry.Actor, w source.EnvironmentWish) (blueberry.Environment, error) {
	return p.provisioner.Made(ctx, actor, provision.CreateRequest{Project: w.Project, Name: w.Name, Key: w.Key})
}

// Create makes one of a commit.
func (p pullEnvironments) Create(ctx context.Context, actor blueberry.Actor, w source.EnvironmentWish) (blueberry.Environment, string, error) {
	e, err := p.provisioner.Create(ctx, actor, provision.CreateRequest{Project: w.Project, Name: w.Name, Target: w.Target, Hours: w.Hours, Restricted: w.Restricted, Wish: wishOf(w), Key: w.Key})
	return e, w.Commit, err
}

// Move has one run another commit.
func (p pullEnvironments) Move(ctx context.Context, actor blueberry.Actor, id string, w source.EnvironmentWish) error {
	_, err := p.provisioner.Change(ctx, actor, id, provision.ChangeRequest{Wish: wishOf(w), Reason: w.Reason})
	return err
}

// Destroy begins the removal of one.
func (p pullEnvironments) Destroy(ctx context.Context, actor blueberry.Actor, id string) error {
	_, err := p.provisioner.Destroy(ctx, actor, id, "", 0)
	return err
}

func wishOf(w source.EnvironmentWish) provision.Wish {
	if w.Restricted {
		return provision.Wish{Repository: &w.Repository, Ref: &w.Ref, Head: &w.Commit}
	}
	return provision.Wish{Repository: &w.Repository, Ref: &w.Commit}
}

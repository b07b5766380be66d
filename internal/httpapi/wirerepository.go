package httpapi

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"maps"
	"unicode/utf8"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// wireRepository never tells a secret.
func wireRepository(r blueberry.Repository, webhook string) sdk.Repository {
	return sdk.Repository{
		ID: r.ID, Project: r.Project, Name: r.Name, Host: string(r.Host), URL: r.URL, WebhookURL: webhook, Policy: wirePullPolicy(r.Policy),
		LastDeliveryAt: instant(r.LastDeliveryAt), LastRefusedAt: instant(r.LastRefusedAt), CreatedAt: instant(r.CreatedAt), UpdatedAt: instant(r.UpdatedAt),
		HostAPI: sdk.HostAPI(r.HostAPI), CredentialSet: r.Credential != nil, SweptAt: instant(r.Sweep.At), SweepFound: r.Sweep.Found, SweepUnread: r.Sweep.Unread,
		Rules: list(r.Rules, wireRule), BranchesAt: instant(r.Branches.At), BranchesSay: r.Branches.Message,
		HostHealth: sdk.HostHealth{
			AnsweredAt: instant(r.Health.AnsweredAt), FailedAt: instant(r.Health.FailedAt), Message: r.Health.Message, PausedUntil: instant(r.Health.PausedUntil),
		},
		Version: r.Version,
	}
}

// wirePullPolicy and pullPolicy turn policies into one another: both have the same fields, by the same names.
func wirePullPolicy(p blueberry.PullPolicy) (out sdk.PullPolicy) {
	translate(p, &out)
	return out
}

func pullPolicy(p sdk.PullPolicy) (out blueberry.PullPolicy) {
	translate(p, &out)
	return out
}

// translate fills a struct from one that has the same fields in JSON. A test holds that the two have.
func translate(from, to any) {
	js, err := json.Marshal(from)
	if err == nil {
		err = json.Unmarshal(js, to)
	}
	if err != nil {
		panic(err) // they are of texts, numbers and lists only
	}
}

func wirePull(p blueberry.PullRequest) sdk.PullRequest {
	return sdk.PullRequest{
		ID: p.ID, RepositoryID: p.RepositoryID, Project: p.Project, Number: p.Number, Title: p.Title, URL: p.URL, Author: p.Author,
		Relation: cmp.Or(string(p.Relation), string(blueberry.RelationUnknown)), Bot: p.Bot, Draft: p.Draft, Fork: p.Fork(), Labels: list(p.Labels, same), State: string(p.State), HeadRef: p.HeadRef, HeadCommit: p.HeadCommit,
		HeadRepository: p.HeadRepo, BaseRef: p.BaseRef, BaseRepository: p.BaseRepo, HostAt: instant(p.HostAt), Outcome: string(p.Outcome), Message: p.Message,
		EnvironmentID: p.EnvironmentID, BuiltCommit: p.BuiltCommit,
		Tier: string(p.Tier()), NeedsApproval: p.NeedsApproval(), Approved: p.Approved(), ApprovedCommit: p.ApprovedCommit, ApprovedBy: p.ApprovedBy, ApprovedAt: instant(p.ApprovedAt),
		Restricted: p.BuiltRestricted && p.EnvironmentID != "", Config: string(p.Config), CreatedAt: instant(p.CreatedAt), UpdatedAt: instant(p.UpdatedAt), Version: p.Version,
	}
}

// wireDelivery leaves out what only the read of one delivery tells.
func wireDelivery(d blueberry.Delivery) sdk.Delivery {
	return sdk.Delivery{
		ID: d.ID, RepositoryID: d.RepositoryID, Project: d.Project, Host: string(d.Host), HostID: d.HostID, Digest: d.Digest, Event: d.Event, Action: d.Action,
		Size: d.Size, Verdict: string(d.Verdict), Reason: d.Reason, PullID: d.PullID, ReplayOf: d.ReplayOf, From: d.From, ReceivedAt: instant(d.ReceivedAt),
	}
}

func wireWholeDelivery(d blueberry.Delivery) sdk.Delivery {
	out := wireDelivery(d)
	out.Headers = maps.Clone(d.Headers)
	if utf8.Valid(d.Body) {
		out.Body = string(d.Body)
	} else {
		out.BodyBase64 = base64.StdEncoding.EncodeToString(d.Body)
	}
	return out
}

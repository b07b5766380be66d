package provision_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// The projects of these tests: people are members of own, and must not learn of other.
const (
	own   = "own"
	other = "other"
)

// things are the ids of what a project has: an environment with two revisions, a plan to make another one, and a plan of the first.
type things struct{ project, environment, newPlan, plan string }

func (h *house) stock(t *testing.T) map[string]things {
	t.Helper()
	ctx := t.Context()
	err := h.store.Update(ctx, func(tx *store.Tx) error {
		return errors.Join(tx.PutProject(ctx, blueberry.Project{Name: own}), tx.PutProject(ctx, blueberry.Project{Name: other}))
	})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]things{}
	for _, project := range []string{own, other} {
		e, made := h.Create(ctx, admin, provision.CreateRequest{Project: project, Name: "pr-1", Wish: wish(web)})
		_, changed := h.Change(ctx, admin, e.ID, provision.ChangeRequest{Wish: override("web", map[string]any{"replicas": 2})})
		next, err := h.PlanCreate(ctx, admin, provision.CreateRequest{Project: project, Name: "pr-2", Wish: wish(web)})
		change, err2 := h.Plan(ctx, admin, e.ID, provision.PlanRequest{Change: &provision.ChangeRequest{Wish: override("web", map[string]any{"replicas": 3})}})
		if err := errors.Join(made, changed, err, err2); err != nil {
			t.Fatal(err)
		}
		out[project] = things{project, e.ID, next.ID, change.ID}
	}
	return out
}

// operation is one that takes a grant in a project. A write among them is made so that it is refused for another reason when the grant is there.
type operation struct {
	grant blueberry.Grant
	do    func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error
}

// reads are the operations that read something of an environment, or a plan.
func reads() map[string]func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
	return map[string]func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error{
		"get": func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.Get(ctx, a, x.environment)
			return err
		},
		"revision": func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.Revision(ctx, a, x.environment, 0)
			return err
		},
		"revisions": func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.Revisions(ctx, a, blueberry.RevisionQuery{EnvironmentID: x.environment})
			return err
		},
		"revision inputs": func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.RevisionInputs(ctx, a, x.environment, 1)
			return err
		},
		"settings": func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, _, err := p.Settings(ctx, a, x.environment, 0)
			return err
		},
		"diff": func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.DiffRevisions(ctx, a, x.environment, 1, 2)
			return err
		},
		"objects": func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.Objects(ctx, a, x.environment)
			return err
		},
		"drift": func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.Drift(ctx, a, x.environment)
			return err
		},
		"holds": func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.Holds(ctx, a, x.environment)
			return err
		},
		"events": func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.Events(ctx, a, blueberry.EventQuery{EnvironmentID: x.environment})
			return err
		},
		"events until": func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, _, err := p.EventsUntil(ctx, a, blueberry.EventQuery{EnvironmentID: x.environment, In: []string{own, other}})
			return err
		},
		"plans": func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.Plans(ctx, a, blueberry.PlanQuery{EnvironmentID: x.environment})
			return err
		},
		"plan": func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.PlanByID(ctx, a, x.plan)
			return err
		},
		"plan of a new one": func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.PlanByID(ctx, a, x.newPlan)
			return err
		},
		"plan rendering": func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, _, err := p.PlanRendering(ctx, a, x.plan)
			return err
		},
		"list": func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.List(ctx, a, blueberry.EnvironmentQuery{Project: x.project})
			return err
		},
	}
}

func operations() map[string]operation {
	out := map[string]operation{
		"create": {blueberry.GrantEnvironmentsCreate, func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.Create(ctx, a, provision.CreateRequest{Project: x.project, Name: "No"})
			return err
		}},
		"create by a plan": {blueberry.GrantEnvironmentsCreate, func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.Create(ctx, a, provision.CreateRequest{PlanID: x.plan}) // which is none to create
			return err
		}},
		"create by a plan and more": {blueberry.GrantEnvironmentsCreate, func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.Create(ctx, a, provision.CreateRequest{PlanID: x.newPlan, Name: "x"})
			return err
		}},
		"plan to create": {blueberry.GrantEnvironmentsPlan, func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.PlanCreate(ctx, a, provision.CreateRequest{Project: x.project, Name: "No"})
			return err
		}},
		"preview": {blueberry.GrantBlueprintsRender, func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.Preview(ctx, a, provision.PreviewRequest{Project: x.project, Name: "No"})
			return err
		}},
		"project": {blueberry.GrantProjectsRead, func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.ProjectState(ctx, a, x.project)
			return err
		}},
		"plan to change": {blueberry.GrantEnvironmentsPlan, func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.Plan(ctx, a, x.environment, provision.PlanRequest{Rollback: &provision.RollbackRequest{Number: 9}})
			return err
		}},
		"plan of nothing": {blueberry.GrantEnvironmentsPlan, func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.Plan(ctx, a, x.environment, provision.PlanRequest{})
			return err
		}},
		"change": {blueberry.GrantEnvironmentsUpdate, func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.Change(ctx, a, x.environment, provision.ChangeRequest{IfVersion: 77})
			return err
		}},
		"change by a plan": {blueberry.GrantEnvironmentsUpdate, func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.Change(ctx, a, x.environment, provision.ChangeRequest{PlanID: x.newPlan})
			return err
		}},
		"refresh": {blueberry.GrantEnvironmentsUpdate, func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.Refresh(ctx, a, x.environment)
			return err
		}},
		"rollback": {blueberry.GrantEnvironmentsUpdate, func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.Rollback(ctx, a, x.environment, provision.RollbackRequest{Number: 1, IfVersion: 77})
			return err
		}},
		"drift policy": {blueberry.GrantEnvironmentsUpdate, func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.SetDriftPolicy(ctx, a, x.environment, blueberry.DriftPolicy{Mode: blueberry.DriftReport}, 77)
			return err
		}},
		"drift policy with faults": {blueberry.GrantEnvironmentsUpdate, func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.SetDriftPolicy(ctx, a, x.environment, blueberry.DriftPolicy{Mode: "shrug"}, 0)
			return err
		}},
		"labels": {blueberry.GrantEnvironmentsOperate, func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.SetLabels(ctx, a, x.environment, blueberry.Labels{"team": "shop"}, 77)
			return err
		}},
		"labels with faults": {blueberry.GrantEnvironmentsOperate, func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.SetLabels(ctx, a, x.environment, blueberry.Labels{"-": ""}, 0)
			return err
		}},
		"release holds": {blueberry.GrantEnvironmentsUpdate, func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.ReleaseHolds(ctx, a, x.environment, provision.HoldRelease{})
			return err
		}},
		"extend": {blueberry.GrantEnvironmentsExtend, func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.Extend(ctx, a, x.environment, 1, 77)
			return err
		}},
		"extend with faults": {blueberry.GrantEnvironmentsExtend, func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.Extend(ctx, a, x.environment, -1, 0)
			return err
		}},
		"destroy": {blueberry.GrantEnvironmentsDelete, func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.Destroy(ctx, a, x.environment, "", 77)
			return err
		}},
		"destroy by a plan": {blueberry.GrantEnvironmentsDelete, func(ctx context.Context, p *provision.Provisioner, a blueberry.Actor, x things) error {
			_, err := p.Destroy(ctx, a, x.environment, x.plan, 0)
			return err
		}},
	}
	for name, do := range reads() {
		out["read: "+name] = operation{blueberry.GrantEnvironmentsRead, do}
	}
	return out
}

var stranger = blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_9", Name: "eve@example.com"}

func member(grants ...blueberry.Grant) blueberry.Actor {
	return blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_2", Name: "mia@example.com", Projects: map[string][]blueberry.Grant{own: grants}}
}

func holding(grants ...blueberry.Grant) blueberry.Actor {
	return blueberry.Actor{Kind: blueberry.ActorToken, ID: "tok_2", Name: "ci", Grants: grants}
}

// hears is all that an actor is told of an error. Denied is for the audit.
func hears(err error) string {
	var e *blueberry.Error
	if !errors.As(err, &e) {
		return "no refusal"
	}
	return string(e.Kind) + " " + e.Code + " " + e.Error()
}

// TestEveryOperationOfEveryProject: who holds the grant where a thing belongs may; who is in the project without it hears what they lack; for all others it
// is not there, told in the very words that are true on a record where it never was.
func TestEveryOperationOfEveryProject(t *testing.T) {
	t.Parallel()
	h, empty := newHouse(t, storetest.SQLite(t)), newHouse(t, storetest.SQLite(t))
	all := h.stock(t)
	before := h.count(t)
	const may, refused, hidden = "may", "refused", "hidden"
	for name, op := range operations() {
		for reason, tc := range map[string]struct {
			actor   blueberry.Actor
			project string
			want    string
		}{
			"member with it, own":       {member(op.grant), own, may},
			"member with it, other":     {member(op.grant), other, hidden},
			"member without it, own":    {member(blueberry.GrantMembersRead), own, refused},
			"member without it, other":  {member(blueberry.GrantMembersRead), other, hidden},
			"stranger, own":             {stranger, own, hidden},
			"stranger, other":           {stranger, other, hidden},
			"installation, own":         {holding(op.grant), own, may},
			"installation, other":       {holding(op.grant), other, may},
			"installation without it":   {holding(blueberry.GrantTargetsRead), own, refused},
			"installation, not of this": {holding(blueberry.GrantUsersRead), own, hidden},
		} {
			err := op.do(t.Context(), h.Provisioner, tc.actor, all[tc.project])
			var e *blueberry.Error
			errors.As(err, &e)
			switch tc.want {
			case may:
				if errors.Is(err, blueberry.Forbidden) || errors.Is(err, blueberry.NotFound) && e.Code != "HOLD_NOT_FOUND" {
					t.Errorf("%s, %s: %v", name, reason, err)
				}
			case refused:
				if !errors.Is(err, blueberry.Forbidden) || e.Denied != op.grant || !strings.Contains(err.Error(), string(op.grant)) || !strings.Contains(err.Error(), tc.project) {
					t.Errorf("%s, %s: %v, want a refusal that names %s", name, reason, err, op.grant)
				}
			case hidden:
				if !errors.Is(err, blueberry.NotFound) || e.Denied != op.grant {
					t.Errorf("%s, %s: %v, want that it is not there, noted as a denial", name, reason, err)
				}
				if diff := cmp.Diff(hears(op.do(t.Context(), empty.Provisioner, tc.actor, all[tc.project])), hears(err)); diff != "" {
					t.Errorf("%s, %s: it is told otherwise than what never was (-never +there):\n%s", name, reason, diff)
				}
			}
		}
	}
	if after := h.count(t); after != before {
		t.Errorf("the record has %s, before %s", after, before)
	}
}

// TestQuotaIsOfTheInstallation: nobody sets the bounds of their own project, whatever they hold in it.
func TestQuotaIsOfTheInstallation(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	h.stock(t)
	for reason, tc := range map[string]struct {
		actor blueberry.Actor
		kind  error
	}{
		"an administrator of the project": {member(append(blueberry.RoleAdmin.Grants(), blueberry.GrantProjectsQuota)...), blueberry.Forbidden},
		"everything in the project":       {member(blueberry.GrantProjectsQuota), blueberry.Forbidden},
		"a stranger":                      {stranger, blueberry.Forbidden},
		"the installation":                {holding(blueberry.GrantProjectsQuota), nil},
	} {
		for _, project := range []string{own, "nowhere"} {
			_, err := h.SetQuota(t.Context(), tc.actor, project, blueberry.Quota{}, 0)
			if want := tc.kind; want != nil && !errors.Is(err, want) || want == nil && errors.Is(err, blueberry.Forbidden) {
				t.Errorf("%s, %s: %v", reason, project, err)
			}
		}
	}
}

// TestListsHide: lists show what is of the projects in which the actor holds the grant.
func TestListsHide(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		h.stock(t)
		ctx := t.Context()
		err := s.Update(ctx, func(tx *store.Tx) error {
			return tx.AppendEvent(ctx, blueberry.Event{Type: blueberry.ConfigSetChanged, Message: "of no project", At: h.clock.now()})
		})
		if err != nil {
			t.Fatal(err)
		}
		only := func(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }
		lists := map[string]struct {
			grant blueberry.Grant
			read  func(a blueberry.Actor) ([]string, error)
			all   []string // of the installation, that none of the two projects has
		}{
			"environments": {blueberry.GrantEnvironmentsRead, func(a blueberry.Actor) (out []string, err error) {
				page, err := h.List(ctx, a, blueberry.EnvironmentQuery{In: []string{other}}) // who asks cannot say what they see
				for _, e := range page.Items {
					out = append(out, e.Project)
				}
				return out, err
			}, nil},
			"events": {blueberry.GrantEnvironmentsRead, func(a blueberry.Actor) (out []string, err error) {
				list, err := h.Events(ctx, a, blueberry.EventQuery{In: []string{other}})
				for _, e := range list {
					out = append(out, e.Project)
				}
				return out, err
			}, []string{""}},
			"projects": {blueberry.GrantProjectsRead, func(a blueberry.Actor) (out []string, err error) {
				list, err := h.Projects(ctx, a)
				for _, p := range list {
					out = append(out, p.Name)
				}
				return out, err
			}, []string{blueberry.DefaultProject}},
		}
		for name, l := range lists {
			for reason, tc := range map[string]struct {
				actor blueberry.Actor
				want  []string
			}{
				"a member":           {member(l.grant), []string{own}},
				"without the grant":  {member(blueberry.GrantMembersRead), nil},
				"a stranger":         {stranger, nil},
				"the installation":   {holding(l.grant), append([]string{own, other}, l.all...)},
				"of two projects":    {blueberry.Actor{Projects: map[string][]blueberry.Grant{own: {l.grant}, other: {l.grant}}}, []string{own, other}},
				"of one that is not": {blueberry.Actor{Projects: map[string][]blueberry.Grant{"nowhere": {l.grant}}}, nil},
			} {
				got, err := l.read(tc.actor)
				if refused := reason == "without the grant" || reason == "a stranger"; refused != errors.Is(err, blueberry.Forbidden) || !refused && err != nil {
					t.Errorf("%s, %s: %v", name, reason, err)
				}
				if diff := cmp.Diff(only(tc.want), only(got)); diff != "" {
					t.Errorf("%s, %s: projects (-want +got):\n%s", name, reason, diff)
				}
			}
		}

		page, err := h.List(ctx, holding(blueberry.GrantEnvironmentsRead), blueberry.EnvironmentQuery{Limit: 1})
		if err != nil || page.Next == "" {
			t.Fatalf("one page of two: %v", err)
		}
		if _, err := h.List(ctx, member(blueberry.GrantEnvironmentsRead), blueberry.EnvironmentQuery{Cursor: page.Next}); !errors.Is(err, blueberry.Invalid) {
			t.Errorf("the cursor of who sees more: %v", err)
		}
	})
}

// TestFollowingTheRecordPassesWhatIsHidden: who follows events gets past those of others at once, and misses none of their own.
func TestFollowingTheRecordPassesWhatIsHidden(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		all := h.stock(t)
		ctx, mia := t.Context(), member(blueberry.GrantEnvironmentsRead)
		everything, last, err := h.EventsUntil(ctx, admin, blueberry.EventQuery{Limit: 500})
		if err != nil || last != everything[len(everything)-1].Seq || everything[len(everything)-1].Project != other {
			t.Fatalf("%d events until %d, the last one %+v (%v)", len(everything), last, everything[len(everything)-1], err)
		}
		for reason, tc := range map[string]struct {
			query blueberry.EventQuery
			until int64
			none  bool
		}{
			"behind all of ours":   {blueberry.EventQuery{After: last - 1}, last, true},
			"of one environment":   {blueberry.EventQuery{EnvironmentID: all[own].environment, After: last - 1}, last, true},
			"all at once":          {blueberry.EventQuery{Limit: 500}, last, false},
			"before they were":     {blueberry.EventQuery{After: last + 100}, last + 100, true},
			"a page that is full":  {blueberry.EventQuery{Limit: 1}, everything[0].Seq, false},
			"no length is given":   {blueberry.EventQuery{}, last, false},
			"just behind the last": {blueberry.EventQuery{After: last}, last, true},
		} {
			found, until, err := h.EventsUntil(ctx, mia, tc.query)
			if err != nil || until != tc.until || (len(found) == 0) != tc.none {
				t.Errorf("%s: %d events until %d, want until %d (%v)", reason, len(found), until, tc.until, err)
			}
			for _, e := range found {
				if e.Project != own {
					t.Errorf("%s: an event of %q", reason, e.Project)
				}
			}
		}
		if _, until, err := h.EventsUntil(ctx, stranger, blueberry.EventQuery{}); !errors.Is(err, blueberry.Forbidden) || until != 0 {
			t.Errorf("a stranger is told how far the record is: %d (%v)", until, err)
		}
	})
}

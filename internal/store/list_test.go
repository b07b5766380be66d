package store_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// zoo fills a record with environments that tie in every sort order, and gives them.
func zoo(t testing.TB, s *store.Store, n int) []blueberry.Environment {
	t.Helper()
	phases := []blueberry.Phase{blueberry.Pending, blueberry.Ready, blueberry.Degraded, blueberry.Failed, blueberry.Terminated}
	var all []blueberry.Environment
	for at := 0; at < n; at += 500 {
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			for i := at; i < min(at+500, n); i++ {
				e := environment(fmt.Sprintf("pr-%d", i), start.Add(time.Duration(i/3)*time.Second))
				e.Owner = []string{"ada", "Grace", "linus"}[i%3]
				e.Source.Repository = fmt.Sprintf("https://git.example/Shop_%d.git", i%7)
				e.Phase = phases[i%len(phases)]
				e.Restricted = i%4 == 1
				e.Labels = []blueberry.Labels{nil, {"team": "shop"}, {"team": "Shop", "tier": ""}, {"x-team": "shop", "team": "shop-2"}}[i/4%4]
				e.Target = []string{"local", "eu"}[i/2%2]
				e.UpdatedAt = start.Add(time.Duration(i%11) * time.Minute)
				if i%10 == 0 {
					e.Lease = blueberry.Lease{}
				}
				if err := tx.InsertEnvironment(ctx, e); err != nil {
					return err
				}
				all = append(all, e)
			}
			return nil
		})
	}
	return all
}

func list(t testing.TB, s *store.Store, q blueberry.EnvironmentQuery) (blueberry.EnvironmentPage, error) {
	t.Helper()
	return tryView(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.EnvironmentPage, error) {
		return tx.ListEnvironments(ctx, q)
	})
}

// manyProjects is 300 projects that have nothing, and those named.
func manyProjects(names ...string) []string {
	for i := range 300 {
		names = append(names, fmt.Sprintf("team-%d", i))
	}
	return names
}

// pages reads page by page, to the end.
func pages(t testing.TB, s *store.Store, q blueberry.EnvironmentQuery) (ids []string) {
	t.Helper()
	for {
		page, err := list(t, s, q)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Items) > q.Limit || page.Next != "" && len(page.Items) < q.Limit {
			t.Fatalf("a page of %d, next %q", len(page.Items), page.Next)
		}
		for _, e := range page.Items {
			ids = append(ids, e.ID)
		}
		if page.Next == "" {
			return ids
		}
		q.Cursor = page.Next
	}
}

// labelQuery asks for labels, without a look at whether they can be.
func labelQuery(texts ...string) (q blueberry.EnvironmentQuery) {
	for _, text := range texts {
		var s blueberry.LabelSelector
		s.Key, s.Value, s.Exact = strings.Cut(text, "=")
		q.Labels = append(q.Labels, s)
	}
	return q
}

// The database is held against a plain sort and filter in Go, over every sort order in both directions.
func TestListIsWhatSortAndFilterGive(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		all := zoo(t, s, 60)
		key := map[blueberry.EnvironmentSort]func(blueberry.Environment) string{
			"":                      func(e blueberry.Environment) string { return e.CreatedAt.Format(time.RFC3339) },
			blueberry.SortByCreated: func(e blueberry.Environment) string { return e.CreatedAt.Format(time.RFC3339) },
			blueberry.SortByUpdated: func(e blueberry.Environment) string { return e.UpdatedAt.Format(time.RFC3339) },
			blueberry.SortByName:    func(e blueberry.Environment) string { return e.Name },
			blueberry.SortByPhase:   func(e blueberry.Environment) string { return string(e.Phase) },
			blueberry.SortByExpires: func(e blueberry.Environment) string {
				if e.Lease.ExpiresAt.IsZero() {
					return "never sorts behind every time"
				}
				return e.Lease.ExpiresAt.Format(time.RFC3339)
			},
		}
		yes, no := true, false
		living := func(e blueberry.Environment) bool { return e.Phase != blueberry.Terminated }
		for name, filter := range map[string]struct {
			query blueberry.EnvironmentQuery
			keep  func(blueberry.Environment) bool
		}{
			"none":            {blueberry.EnvironmentQuery{}, living},
			"project":         {blueberry.EnvironmentQuery{Project: "other"}, func(blueberry.Environment) bool { return false }},
			"these projects":  {blueberry.EnvironmentQuery{In: manyProjects(blueberry.DefaultProject)}, living},
			"other projects":  {blueberry.EnvironmentQuery{In: manyProjects()}, func(blueberry.Environment) bool { return false }},
			"none at all":     {blueberry.EnvironmentQuery{In: []string{}}, func(blueberry.Environment) bool { return false }},
			"a quoted one":    {blueberry.EnvironmentQuery{In: []string{`x') OR ('1'='1`, "\x00\xff"}}, func(blueberry.Environment) bool { return false }},
			"one of these is": {blueberry.EnvironmentQuery{Project: blueberry.DefaultProject, In: []string{"other"}}, func(blueberry.Environment) bool { return false }},
			"target":          {blueberry.EnvironmentQuery{Target: "eu"}, func(e blueberry.Environment) bool { return living(e) && e.Target == "eu" }},
			"restricted":      {blueberry.EnvironmentQuery{Restricted: &yes}, func(e blueberry.Environment) bool { return living(e) && e.Restricted }},
			"not restricted":  {blueberry.EnvironmentQuery{Restricted: &no, Target: "local"}, func(e blueberry.Environment) bool { return living(e) && !e.Restricted && e.Target == "local" }},
			"owner":           {blueberry.EnvironmentQuery{Owner: "ada"}, func(e blueberry.Environment) bool { return living(e) && e.Owner == "ada" }},
			"name":            {blueberry.EnvironmentQuery{Name: "pr-7"}, func(e blueberry.Environment) bool { return e.Name == "pr-7" }},
			"phases": {blueberry.EnvironmentQuery{Phases: []blueberry.Phase{blueberry.Terminated, blueberry.Failed}}, func(e blueberry.Environment) bool {
				return e.Phase == blueberry.Terminated || e.Phase == blueberry.Failed
			}},
			"repository": {blueberry.EnvironmentQuery{Search: "SHOP_3"}, func(e blueberry.Environment) bool {
				return living(e) && strings.Contains(e.Source.Repository, "Shop_3")
			}},
			"person":               {blueberry.EnvironmentQuery{Search: "gRa"}, func(e blueberry.Environment) bool { return living(e) && e.Owner == "Grace" }},
			"wildcards":            {blueberry.EnvironmentQuery{Search: "p%2"}, func(blueberry.Environment) bool { return false }},
			"a quote":              {blueberry.EnvironmentQuery{Search: `' OR 1=1 --\`}, func(blueberry.Environment) bool { return false }},
			"a label":              {labelQuery("team=shop"), func(e blueberry.Environment) bool { return living(e) && e.Labels["team"] == "shop" }},
			"a key":                {labelQuery("team"), func(e blueberry.Environment) bool { return living(e) && e.Labels["team"] != "" }},
			"a label of no value":  {labelQuery("tier="), func(e blueberry.Environment) bool { _, there := e.Labels["tier"]; return living(e) && there }},
			"two labels":           {labelQuery("x-team=shop", "team"), func(e blueberry.Environment) bool { return living(e) && e.Labels["x-team"] == "shop" }},
			"labels of others":     {labelQuery("team=shop", "tier"), func(blueberry.Environment) bool { return false }},
			"the end of a key":     {labelQuery("eam=shop"), func(blueberry.Environment) bool { return false }},
			"the begin of a value": {labelQuery("team=sho"), func(blueberry.Environment) bool { return false }},
			"a label as text":      {blueberry.EnvironmentQuery{Search: "TEAM=SHOP-"}, func(e blueberry.Environment) bool { return living(e) && e.Labels["team"] == "shop-2" }},
			"a quoted label":       {labelQuery(`x' OR 1=1 --`, "%", "\x00\xff"), func(blueberry.Environment) bool { return false }},

			"no text": {blueberry.EnvironmentQuery{Search: "\x00\xff"}, func(blueberry.Environment) bool { return false }},
		} {
			for by, of := range key {
				for _, desc := range []bool{false, true} {
					var want []string
					kept := slices.DeleteFunc(slices.Clone(all), func(e blueberry.Environment) bool { return !filter.keep(e) })
					slices.SortFunc(kept, func(a, b blueberry.Environment) int { return strings.Compare(of(a)+" "+a.ID, of(b)+" "+b.ID) })
					if desc {
						slices.Reverse(kept)
					}
					for _, e := range kept {
						want = append(want, e.ID)
					}
					q := filter.query
					q.Sort, q.Desc, q.Limit = by, desc, 7
					if d := cmp.Diff(want, pages(t, s, q)); d != "" {
						t.Errorf("filter %q, sort %q, desc %v:\n%s", name, by, desc, d)
					}
				}
			}
		}
	})
}

// What comes and goes between two pages neither doubles nor hides the rest.
func TestPagesStandStill(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		all := zoo(t, s, 20)
		q := blueberry.EnvironmentQuery{Limit: 5, Phases: blueberry.Phases()}
		first, err := list(t, s, q)
		if err != nil {
			t.Fatal(err)
		}
		late := environment("late", start.Add(-time.Hour)) // before everything
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertEnvironment(ctx, late) })
		q.Cursor = first.Next
		got := append([]string{}, pages(t, s, q)...)
		if len(got) != len(all)-5 || slices.Contains(got, late.ID) {
			t.Errorf("got %d of %d", len(got), len(all)-5)
		}
	})
}

func TestCursorsOfOthersAreRefused(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		zoo(t, s, 30)
		page, err := list(t, s, blueberry.EnvironmentQuery{Limit: 2})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := list(t, s, blueberry.EnvironmentQuery{Limit: 9, Sort: blueberry.SortByCreated, Cursor: page.Next}); err != nil {
			t.Errorf("another limit, the default sort by its name: %v", err)
		}
		for name, q := range map[string]blueberry.EnvironmentQuery{
			"other order":     {Cursor: page.Next, Desc: true},
			"other sort":      {Cursor: page.Next, Sort: blueberry.SortByName},
			"other project":   {Cursor: page.Next, Project: "default"},
			"other target":    {Cursor: page.Next, Target: "eu"},
			"restricted":      {Cursor: page.Next, Restricted: new(bool)},
			"other owner":     {Cursor: page.Next, Owner: "ada"},
			"some projects":   {Cursor: page.Next, In: []string{"default"}},
			"no projects":     {Cursor: page.Next, In: []string{}},
			"a label":         {Cursor: page.Next, Labels: []blueberry.LabelSelector{{Key: "team"}}},
			"owner as search": {Cursor: page.Next, Search: "ada"},
			"other phases":    {Cursor: page.Next, Phases: []blueberry.Phase{blueberry.Ready}},
			"no base64":       {Cursor: "???"},
			"no JSON":         {Cursor: base64.RawURLEncoding.EncodeToString([]byte("x"))},
			"more than JSON":  {Cursor: page.Next + page.Next},
			"long":            {Cursor: strings.Repeat("A", 1<<20)},
		} {
			_, err := list(t, s, q)
			var e *blueberry.Error
			if !errors.As(err, &e) || e.Kind != blueberry.Invalid || len(e.Fields) != 1 || e.Fields[0].Field != "cursor" {
				t.Errorf("%s: got %v", name, err)
			}
		}
		_, err = list(t, s, blueberry.EnvironmentQuery{Sort: "colour; DROP TABLE environments"})
		wantError(t, "an unknown sort", err, blueberry.Invalid)
	})
}

func BenchmarkListEnvironments(b *testing.B) {
	for _, dialect := range []struct {
		name string
		open func(testing.TB) *store.Store
	}{{store.SQLite, storetest.SQLite}, {store.Postgres, storetest.Postgres}} {
		b.Run(dialect.name, func(b *testing.B) {
			s := dialect.open(b)
			zoo(b, s, 10_000)
			for name, q := range map[string]blueberry.EnvironmentQuery{
				"created":          {Desc: true},
				"filtered by name": {Sort: blueberry.SortByName, Owner: "ada", Phases: []blueberry.Phase{blueberry.Ready, blueberry.Failed}},
				"search":           {Sort: blueberry.SortByExpires, Search: "shop_3"},
				"search nothing":   {Sort: blueberry.SortByUpdated, Desc: true, Search: "not there"},
				"300 projects":     {Desc: true, In: manyProjects(blueberry.DefaultProject)},
				"300 others":       {Desc: true, In: manyProjects()},
				"with terminated":  {Sort: blueberry.SortByPhase, Phases: blueberry.Phases()},
			} {
				b.Run(name, func(b *testing.B) {
					var took []time.Duration
					for b.Loop() {
						begun := time.Now()
						if _, err := list(b, s, q); err != nil {
							b.Fatal(err)
						}
						took = append(took, time.Since(begun))
					}
					slices.Sort(took)
					b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
				})
			}
		})
	}
}

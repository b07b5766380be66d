package catalog

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// maxRendered is how many groups of an impact are rendered; of the others only the values are compared.
const maxRendered = 5

// Impact tells what another version of a config set would change: which environments, which of their values, and, by an example of each of the largest
// groups, which fields of their manifests. Nothing is stored.
func (c *Catalog) Impact(ctx context.Context, actor blueberry.Actor, id string, r ImpactRequest) (Impact, error) {
	if _, err := c.ConfigSet(ctx, actor, id); err != nil { // before all else: what is wrong with a question about another's set is not told
		return Impact{}, err
	}
	if r.Limit < 0 || r.Limit > blueberry.MaxPageSize {
		return Impact{}, blueberry.Faults{{Field: "limit", Code: "range", Message: fmt.Sprintf("must be 1 to %d", blueberry.MaxPageSize)}}.Err()
	}
	from, err := decodePosition(id, r)
	if err != nil {
		return Impact{}, err
	}
	set, next, err := c.candidate(ctx, actor, id, r)
	if err != nil {
		return Impact{}, err
	}
	s, err := c.survey(ctx, actor, set, next)
	if err != nil {
		return Impact{}, err
	}
	if err := c.renderExamples(ctx, s); err != nil {
		return Impact{}, err
	}
	return s.impact(id, r, from), nil
}

// candidate gives the version whose impact is asked for: one that exists, or one made of the content that came along.
func (c *Catalog) candidate(ctx context.Context, actor blueberry.Actor, id string, r ImpactRequest) (set blueberry.ConfigSet, v blueberry.ConfigVersion, err error) {
	if r.Content == nil {
		err = c.Record.View(ctx, func(tx Tx) error {
			if set, err = configSetFor(ctx, tx, actor, id, blueberry.GrantConfigRead); err != nil {
				return err
			}
			v, err = configVersionOf(ctx, tx, set, r.Number)
			return err
		})
		return set, v, err
	}
	set, latest, err := c.latestConfig(ctx, actor, id, blueberry.GrantConfigRead, 0)
	if err != nil {
		return set, v, err
	}
	var faults blueberry.Faults
	if r.Number != 0 {
		faults.Add("version", "exclusive", "a version and content cannot both be given")
	}
	edit := Edit{Content: r.Content, Public: r.Public}
	if edit.Public == nil {
		edit.Public = latest.Public
	}
	w, err := c.read(ctx, edit, "", &faults)
	if err != nil {
		return set, v, err
	}
	if v, err = c.configVersion(actor, edit, w, &faults); err != nil {
		return set, v, err
	}
	v.SetID, v.Number = set.ID, set.Latest+1
	if bytes.Equal(v.Content, latest.Content) {
		v.Number = latest.Number // it is this one: publishing it would make none
	}
	return set, v, faults.Err()
}

// impact gives what the survey found, with one page of the environments.
func (s *survey) impact(id string, r ImpactRequest, from *position) Impact {
	out := Impact{Set: s.set, Total: len(s.users), Hidden: s.hidden}
	index := map[*group]int{}
	for i, g := range s.groups {
		index[g] = i
		out.Change += g.Environments
		out.Groups = append(out.Groups, g.ImpactGroup)
	}
	limit, search := pageLimit(r.Limit), strings.ToLower(r.Search)
	for _, u := range s.users {
		i, changes := index[s.of[keyOf(u)]]
		if !changes || !from.before(u) || !strings.Contains(u.Name, search) {
			continue
		}
		if len(out.Page) == limit {
			out.Next = encodePosition(id, r, out.Page[limit-1].ConfigUser)
			break
		}
		out.Page = append(out.Page, ImpactedEnvironment{ConfigUser: u, Group: i, Pins: !u.Follow && u.Number != s.next.Number})
	}
	return out
}

// settle keeps the groups that would change, the largest first.
func (s *survey) settle() {
	s.groups = slices.DeleteFunc(s.groups, func(g *group) bool { return !g.changes() })
	slices.SortStableFunc(s.groups, func(a, b *group) int { return b.Environments - a.Environments })
}

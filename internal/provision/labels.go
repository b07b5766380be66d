package provision

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// SetLabels gives an environment these labels, and takes all others away. They change nothing of what runs, so there is no new revision. ifVersion 0 means
// any version.
func (p *Provisioner) SetLabels(ctx context.Context, actor blueberry.Actor, id string, labels blueberry.Labels, ifVersion int64) (blueberry.Environment, error) {
	if err := p.allowed(ctx, actor, id, blueberry.GrantEnvironmentsOperate); err != nil {
		return blueberry.Environment{}, err
	}
	var faults blueberry.Faults
	labels.Check(&faults, "labels")
	if err := faults.Err(); err != nil {
		return blueberry.Environment{}, err
	}
	return p.change(ctx, id, func(tx Tx, e *blueberry.Environment) (bool, error) {
		if err := checkVersion(*e, ifVersion); err != nil {
			return false, err
		}
		if err := changeable(*e); err != nil {
			return false, err
		}
		if maps.Equal(e.Labels, labels) {
			return false, nil
		}
		was := e.Labels
		e.Labels = labels.OrNone()
		return true, p.act(ctx, tx, *e, actor, deed{
			blueberry.EnvironmentLabelled, blueberry.GrantEnvironmentsOperate, actor.Name + " " + labelsText(e.Name, e.Labels), labelFields(was), labelFields(e.Labels),
		})
	})
}

func labelsText(name string, l blueberry.Labels) string {
	const most = 3
	lines := l.Lines()
	switch n := len(lines); {
	case n == 0:
		return "took every label of " + name + " away"
	case n > most:
		return fmt.Sprintf("labelled %s %s and %d more", name, strings.Join(lines[:most], ", "), n-most)
	}
	return fmt.Sprintf("labelled %s %s", name, strings.Join(lines, ", "))
}

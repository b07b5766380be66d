package fleet

import (
	"context"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// checksPatience is how long a target may take to answer all questions about what it lacks: about a hundred, some at a time.
const checksPatience = 20 * time.Second

// Check tells what a target has and lacks of what its driver needs. A target that cannot be reached is no error.
func (f *Fleet) Check(ctx context.Context, actor blueberry.Actor, name string) ([]blueberry.TargetCheck, error) {
	t, err := f.read(ctx, actor, name)
	if err != nil {
		return nil, err
	}
	d, done, err := f.ask(ctx, t)
	if err != nil {
		return []blueberry.TargetCheck{{Name: "open", Message: f.trouble(ctx, "open the target", err)}}, nil
	}
	defer done()
	return f.checks(ctx, d), nil
}

// checks asks everything that a driver can tell.
func (f *Fleet) checks(ctx context.Context, d Asker) []blueberry.TargetCheck {
	ctx, cancel := context.WithTimeout(ctx, checksPatience)
	defer cancel()
	var out []blueberry.TargetCheck
	var err error
	if c, ok := d.(target.Checker); ok {
		out, err = c.CheckAll(ctx)
	} else if err = d.Check(ctx); err == nil {
		out = []blueberry.TargetCheck{{Name: "reach", OK: true}}
	}
	if err != nil {
		out = append(out, blueberry.TargetCheck{Name: "reach", Message: f.trouble(ctx, "reach the target", err)})
	}
	return out
}

// ask gives a driver for questions: the one that is open, or one that done closes.
func (f *Fleet) ask(ctx context.Context, t blueberry.Target) (d Asker, done func(), err error) {
	if f.Running != nil {
		if d, ok := f.Running(t.Name); ok {
			return d, func() {}, nil
		}
	}
	plain, err := f.Unsealed(t)
	if err != nil {
		return nil, nil, err
	}
	opened, err := f.Open(ctx, plain)
	if err != nil {
		return nil, nil, err
	}
	return opened, opened.Close, nil
}

package targettest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// explainTests are those of a driver that is a target.Explainer; for another they hold nothing.
func explainTests() map[string]func(*testing.T, *scene) {
	tests := map[string]func(*testing.T, *scene, target.Explainer){
		"what is healthy has no cause":            testExplainHealthy,
		"what was never there has no cause":       testExplainNothing,
		"an image that cannot be pulled is named": testExplainImage,
		"a crash is named, and forgotten":         testExplainCrash,
		"a kind that is not known is named":       testExplainKind,
		"causes are not told of a place away":     testExplainCut,
	}
	out := map[string]func(*testing.T, *scene){}
	for name, test := range tests {
		out[name] = func(t *testing.T, s *scene) {
			if x, ok := s.Driver.(target.Explainer); ok {
				test(t, s, x)
			}
		}
	}
	return out
}

func (s *scene) explain(t testing.TB, x target.Explainer) []blueberry.Cause {
	t.Helper()
	causes := Ask(t, "explain", func() ([]blueberry.Cause, error) { return x.Explain(t.Context(), s.Ref, LedgerOf(s.files)) })
	blueberry.SortCauses(causes)
	for _, c := range causes {
		if c.Message == "" || c.Fix == "" || c.Step != c.Code.Step() || !slices.Contains(blueberry.CauseCodes(), c.Code) {
			t.Errorf("cause %+v lacks something", c)
		}
	}
	return causes
}

// first waits until a cause of the component comes first that is one of the codes.
func (s *scene) first(t testing.TB, x target.Explainer, component string, codes ...blueberry.CauseCode) {
	t.Helper()
	eventually(t, fmt.Sprintf("a cause of %v of %s comes first", codes, component), func() string {
		causes := s.explain(t, x)
		if len(causes) == 0 || causes[0].Component != component || !slices.Contains(codes, causes[0].Code) || causes[0].Severity == blueberry.Warns || len(causes[0].Evidence) == 0 {
			return fmt.Sprintf("%+v", causes)
		}
		return ""
	})
	if diff := cmp.Diff(s.explain(t, x), s.explain(t, x)); diff != "" {
		t.Errorf("the same state has two explanations (-one +other):\n%s", diff)
	}
}

// unexplained waits until nothing but warnings is told.
func (s *scene) unexplained(t testing.TB, x target.Explainer) {
	t.Helper()
	eventually(t, "there is no cause", func() string {
		causes := slices.DeleteFunc(s.explain(t, x), func(c blueberry.Cause) bool { return c.Severity == blueberry.Warns })
		if len(causes) > 0 {
			return fmt.Sprintf("%+v", causes)
		}
		return ""
	})
}

func testExplainHealthy(t *testing.T, s *scene, x target.Explainer) {
	s.settle(t, s.usual(t))
	s.unexplained(t, x)
}

func testExplainNothing(t *testing.T, s *scene, x target.Explainer) {
	s.usual(t)
	if causes := s.explain(t, x); len(causes) > 0 {
		t.Errorf("of what was never there: %+v", causes)
	}
}

func testExplainImage(t *testing.T, s *scene, x target.Explainer) {
	s.sync(t, s.desired(Platform(t, s.Ref), Web(t, s.Ref, 0, "back", brokenImage)))
	s.first(t, x, "back", blueberry.CauseImageMissing, blueberry.CauseImageDenied, blueberry.CauseImagePull)
}

func testExplainCrash(t *testing.T, s *scene, x target.Explainer) {
	s.settle(t, s.usual(t))
	s.Hand.FailPods(t, s.Ref, "back", "CrashLoopBackOff")
	s.first(t, x, "back", blueberry.CauseCrash)
	s.Hand.HealPods(t, s.Ref, "back")
	s.healthy(t)
	s.unexplained(t, x)
}

func testExplainKind(t *testing.T, s *scene, x target.Explainer) {
	widget := "apiVersion: unheard.example.com/v1\nkind: Widget\nmetadata: {name: $name, namespace: $ns, labels: $labels}\n"
	d := s.desired(Platform(t, s.Ref), File(t, s.Ref, 0, "back", widget))
	p := s.sync(t, d)
	if s.Itself {
		eventually(t, "the kind is missed", func() string {
			p = s.sync(t, d)
			return blank(p.Done || p.Code != "", p.Waiting)
		})
	}
	if p.Done || p.Code != blueberry.CodeKindUnknown {
		t.Errorf("got %+v, want that it waits with code %s", p, blueberry.CodeKindUnknown)
	}
	s.first(t, x, "back", blueberry.CauseKindUnknown)
}

func testExplainCut(t *testing.T, s *scene, x target.Explainer) {
	s.settle(t, s.usual(t))
	s.Cut()
	eventually(t, "explain tells that the place is away", func() string {
		_, err := x.Explain(t.Context(), s.Ref, LedgerOf(s.files))
		if err != nil && !errors.Is(err, blueberry.Unavailable) {
			t.Fatalf("got error %v, want one of kind unavailable", err)
		}
		return blank(err != nil, "no error")
	})
}

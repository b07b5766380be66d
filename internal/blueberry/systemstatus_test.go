package blueberry_test

import (
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// TestSystemState: the whole is as its worst part; what nobody set up harms nothing.
func TestSystemState(t *testing.T) {
	t.Parallel()
	for reason, c := range map[string]struct {
		parts []blueberry.PartState
		want  blueberry.PartState
	}{
		"nothing is leant on":     {nil, blueberry.PartUp},
		"what is off is no fault": {[]blueberry.PartState{blueberry.PartOff, blueberry.PartUp}, blueberry.PartUp},
		"one should be looked at": {[]blueberry.PartState{blueberry.PartUp, blueberry.PartWarning}, blueberry.PartWarning},
		"down is worst":           {[]blueberry.PartState{blueberry.PartDown, blueberry.PartWarning, blueberry.PartOff}, blueberry.PartDown},
	} {
		s := blueberry.SystemStatus{}
		for _, state := range c.parts {
			s.Parts = append(s.Parts, blueberry.Part{State: state})
		}
		if got := s.State(); got != c.want {
			t.Errorf("%s: %s, want %s", reason, got, c.want)
		}
	}
}

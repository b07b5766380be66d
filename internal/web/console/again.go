package console

import (
	"github.com/blueberry-idp/blueberry/sdk"
)

// again is that a form is to be shown once more: with what is wrong with it, or with what it would do, and what was typed.
type again struct {
	problem *sdk.Problem // nil for none
	form    func(problem *sdk.Problem) (page, error)
}

// Error implements error.
func (a again) Error() string { return "the form is shown again" }

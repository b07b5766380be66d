package httpapi

import (
	"net/http"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// answer is an answer of which only the body says something.
type answer[T any] struct {
	Body T
}

// answered makes the answer of what an operation gave.
func answered[A, B any](a A, err error, wire func(A) B) (*answer[B], error) {
	if err != nil {
		return nil, err
	}
	return &answer[B]{Body: wire(a)}, nil
}

// tagged is an answer about one thing that has a version.
type tagged[T any] struct {
	ETag     string `header:"ETag" doc:"Version of what the answer is about"`
	Location string `header:"Location" doc:"Path of what the answer is about"`
	Body     T
}

// made is a tagged answer of an operation that may have found what was asked for there already.
type made[T any] struct {
	Status   int
	ETag     string `header:"ETag" doc:"Version of what the answer is about"`
	Location string `header:"Location" doc:"Path of what the answer is about"`
	Body     T
}

// madeStatus is 201, or 200 when nothing was made.
func madeStatus(unchanged bool) int {
	if unchanged {
		return http.StatusOK
	}
	return http.StatusCreated
}

// nothing is an answer without a body.
type nothing struct{}

// gathers has an operation take the unknown fields of its body as faults, to tell them with those that it finds itself.
func gathers() map[string]any { return map[string]any{metaGathers: true} }

// pageSize is how many items a list gives that was asked for so many; 0 means that nobody said.
func pageSize(limit int) int {
	if limit == 0 {
		return blueberry.DefaultPageSize
	}
	return limit
}

// OnceHeader documents what the gateway does with the key. It is exported, like all parts that inputs embed, because reflection sets only exported fields.
type OnceHeader struct {
	IdempotencyKey string `header:"Idempotency-Key" doc:"The same key with the same request gets the same answer for 24 hours" example:"7f9c2ba4e88f827d"`
}

// MatchHeader makes a change conditional.
type MatchHeader struct {
	IfMatch string `header:"If-Match" doc:"ETag of the version that the change is meant for; otherwise 412" example:"\"7\""`
}

// StrictQuery turns warnings into faults.
type StrictQuery struct {
	Strict bool `query:"strict" doc:"Refuse what would be dropped with a warning, as strict in the body does" example:"true"`
}

// NumberWindow is a run of numbered things, newest first.
type NumberWindow struct {
	Before int `query:"before" minimum:"1" doc:"Only those with a lower number; absent means from the newest" example:"41"`
	Limit  int `query:"limit" minimum:"1" maximum:"500" doc:"At most so many; absent means 50" example:"50"`
}

// next is the before of the run behind one that ends with number; 0 when there is none.
func (w NumberWindow) next(got, number int) int {
	if got < pageSize(w.Limit) || number <= 1 {
		return 0
	}
	return number
}

// Comparison names two numbered things.
type Comparison struct {
	From int `query:"from" minimum:"1" doc:"Number of the one; absent means the one before the other" example:"1"`
	To   int `query:"to" minimum:"1" doc:"Number of the other; absent means the newest" example:"2"`
}

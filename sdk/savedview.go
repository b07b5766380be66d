package sdk

import "time"

// SavedView is a list that a person comes back to.
type SavedView struct {
	Name      string    `json:"name" doc:"Unique among one's own" example:"What failed"`
	Page      string    `json:"page" doc:"Word of the page of the console" example:"environments"`
	Query     string    `json:"query" doc:"Query of its address: the filter and the order" example:"phase=failed&sort=name"`
	CreatedAt time.Time `json:"created_at" doc:"When it was saved last"`
}

// SavedViewList is all of one person.
type SavedViewList struct {
	Items []SavedView `json:"items" nullable:"false" doc:"By name"`
}

// SaveViewRequest says what a view shows.
type SaveViewRequest struct {
	Page  string `json:"page" maxLength:"40" doc:"Word of the page of the console" example:"environments"`
	Query string `json:"query,omitempty" maxLength:"2000" doc:"Query of its address: the filter and the order; a cursor is left out" example:"phase=failed&sort=name"`
}

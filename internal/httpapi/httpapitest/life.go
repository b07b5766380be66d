package httpapitest

import "github.com/blueberry-idp/blueberry/internal/httpapi"

// Aliases, so that no field has the name of a method.
type (
	leases    = httpapi.Leases
	sleeps    = httpapi.Sleeps
	labels    = httpapi.Labels
	moves     = httpapi.Moves
	whys      = httpapi.Whys
	logs      = httpapi.Logs
	shells    = httpapi.Shells
	archives  = httpapi.Archives
	orphans   = httpapi.Orphans
	retention = httpapi.Retention

	repositories  = httpapi.Repositories
	subscriptions = httpapi.Subscriptions
	system        = httpapi.System
)

// lifeAway is the operations on how environments live and end, which the house has not. A call of one panics.
func lifeAway() httpapi.Life {
	return httpapi.Life{
		Leases: struct{ leases }{}, Sleeps: struct{ sleeps }{}, Labels: struct{ labels }{}, Moves: struct{ moves }{}, Whys: struct{ whys }{}, Logs: struct{ logs }{}, Shells: struct{ shells }{},
		Archives: struct{ archives }{}, Orphans: struct{ orphans }{}, Retention: struct{ retention }{},
	}
}

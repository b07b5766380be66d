// Package argocd reads what the notifications of Argo CD tell by its webhook service: how the applications are that stand for environments.
//
// It owns how they are signed, and the shape that they have. Argo CD cannot sign a body: a shared token stands in a header, so the way to the server must be
// encrypted, and whoever holds the token can say anything of the environments of its project. What is said of one is told to people, and has it looked at: it
// changes nothing by itself.
//
// The header is X-Blueberry-Token, and the body, as the template of the guide has it:
//
//	{
//	  "app": "blueberry-local-default-pr-7",
//	  "namespace": "default-pr-7",
//	  "project": "blueberry-local-default",
//	  "sync": "OutOfSync",
//	  "health": "Degraded",
//	  "phase": "Failed",
//	  "revision": "1d52a3f1a3f6f2e1a0c4be1e1f8f4f0f6a1b2c3d",
//	  "message": "one or more objects failed to apply",
//	  "finishedAt": "2026-01-31T09:30:00Z",
//	  "sentAt": "2026-01-31T09:31Z"
//	}
//
// The application is needed, or the namespace. Anything else may be left out. With "event" in the body, a trigger names what it tells; else it follows from the
// rest: sync-failed, health-degraded, sync-succeeded, sync-running, or sync-status-outofsync. A body that comes again is known by what it holds. sentAt, which is
// not read, makes another one of what happens again, as an application that is degraded once more without an operation; it is of a minute, so that what two
// triggers tell of the same is the same.
//
// Invariant: no fault repeats what a delivery says.
package argocd

// Package generic reads webhooks of anything that can sign a POST: a script, a CI server, a host that no other driver knows.
//
// It owns how they are signed, and the shape that they have. The body is JSON:
//
//	{
//	  "event": "pull_request",
//	  "message": "ada opened pull request 7",
//	  "timestamp": "2026-01-31T09:30:00Z",
//	  "data": {
//	    "repository": "acme/shop",
//	    "action": "opened",
//	    "number": 7,
//	    "title": "Faster checkout",
//	    "url": "https://git.example.com/acme/shop/pulls/7",
//	    "author": "ada",
//	    "relation": "member",
//	    "bot": false,
//	    "draft": false,
//	    "labels": ["preview"],
//	    "state": "open",
//	    "head": {
//	      "ref": "faster-checkout",
//	      "commit": "1d52a3f1a3f6f2e1a0c4be1e1f8f4f0f6a1b2c3d",
//	      "url": "https://git.example.com/acme/shop.git",
//	      "repository": "acme/shop"
//	    },
//	    "base": {"ref": "main", "repository": "acme/shop"},
//	    "updated_at": "2026-01-31T09:29:58Z"
//	  }
//	}
//
// Of a pull request these are needed: repository, number, state, head.commit, base.ref and base.repository. The state is open, closed or merged. The commit
// is told in full, 40 or 64 hex digits. The relation of the author to the repository is owner, member, collaborator or outsider, or unknown, which it is when
// it is left out. A head.repository that is not the base.repository is a fork; one that is left out is a fork that is gone, and gets no environment. head.url
// is what Git clones a fork from. Times are written as RFC 3339 says; without updated_at, timestamp counts, and without both, when it came. The action is for
// people, but for "reopened": it says that the pull request was closed before. What else is in the body is not read.
//
// The event "push" tells that a branch of the repository moved, or went:
//
//	{"event": "push", "timestamp": "2026-01-31T09:30:00Z", "data": {"repository": "acme/shop", "branch": "main", "commit": "1d52a3f1a3f6f2e1a0c4be1e1f8f4f0f6a1b2c3d"}}
//
// The commit is where it is now, in full; without one the branch is gone. The event "environment" tells something of an environment of the project, whatever the
// repository: a deployment, a test, a migration. It stands among the events of the environment, which is looked at at once:
//
//	{"event": "environment", "data": {"environment": "pr-7", "event": "smoke-test-failed", "message": "3 of 40 pages answer 500"}}
//
// The event "ping" asks whether anybody is there, and needs no data. Any other event is noted and does nothing.
//
// The headers:
//
//	X-Blueberry-Timestamp: 1769851800
//	X-Blueberry-Signature: sha256=<hex>
//	X-Blueberry-Delivery: <an id of the delivery>
//	X-Blueberry-Event: pull_request
//
// The signature is the HMAC-SHA256, by the webhook secret, of the timestamp, a dot and the body. The timestamp is in seconds since 1970, and at most five
// minutes from the clock of the server: a call that someone recorded is worth nothing later. The id may be left out; with it, a delivery that comes again is
// known. The event may be left out; where the body has one too, that of the body counts, because it is signed.
//
//	at=$(date +%s)
//	sum=$( (printf '%s.' "$at"; cat body.json) | openssl dgst -sha256 -hmac "$SECRET" -r | cut -d' ' -f1)
//	curl -H "X-Blueberry-Timestamp: $at" -H "X-Blueberry-Signature: sha256=$sum" -H 'Content-Type: application/json' --data-binary @body.json "$URL"
//
// Invariant: a pull request that it gives has a number, a full commit and the repository that it goes to, and no fault repeats what a delivery says.
package generic

// Package policy judges plans by rules that people write in Cedar.
//
// It owns the entities that rules see, and what a verdict says. It does not keep rules (store), or decide what a denial stops (provision).
//
// Rules only forbid. Cedar denies what nothing permits, so it is as if every policy began with one rule that permits everything: what no rule forbids is
// allowed. Every plan is put to every rule once for its environment, once for each object and once for each image of an object.
//
// principal, who asks: User, Token, Client or Job::"<name of the actor>"
//
//	name, kind ("user", "token", "client", "job", "host"), grants in the project of the environment (set of texts: "environments:create", "*:*")
//
// action, what the plan does: Action::"create", "change", "rollback", "destroy"
//
// resource, what the plan is about:
//
//	Environment::"<project>/<name>"
//	  project, name, target
//	  kind          "preview", "ephemeral", "standing"
//	  lease_hours   0 without a lease
//	  blueprint     its name
//	  catalogue     "shop@3", "global/shop@3"; "" when the blueprint is not of the catalogue
//	  repository, commit   of the blueprint; "" for none
//	  repositories  set of all that its components come from
//	  restricted    true when it runs code that nobody vouches for
//	  components    set of names
//	  cpu (thousandths of a core), memory (bytes), pods, storage (bytes)   at their largest
//	Object::"Deployment.apps shop-pr-1/backend", in its environment
//	  kind, group ("" for the core), name, namespace ("" for none), component
//	  labels, annotations   records of texts
//	  images        set of texts, of every container anywhere in it
//	  host_paths    set of texts, of every hostPath anywhere in it
//	  privileged, host_network, host_pid, host_ipc   true when it is asked for anywhere in it
//	  service_type  "ClusterIP" and so on; "" when it is no Service
//	  manifest      record: all of the object. Whole numbers are longs, other numbers are texts, lists are sets, nulls are left out
//	Image::"<reference>", in its object
//	  reference, component
//	  object        "Deployment.apps shop-pr-1/backend"
//	  registry      in lower case; "docker.io" when the reference names none
//	  repository    "acme/shop"; "library/nginx" for docker.io's own
//	  tag, digest   "" for none
//	  by_digest     whether the digest decides
//
// context is an empty record.
//
// Invariant: a rule that cannot be evaluated denies.
package policy

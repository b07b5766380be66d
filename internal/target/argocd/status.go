package argocd

import (
	"hash/fnv"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// application is what is remembered of an Application. It is never altered.
type application struct {
	name, uid string
	version   uint64
	sum       uint64 // of all but the version: two of one sum are the same to us
	ref       target.Ref
	spec      string
	isTaken   bool      // noteTaken
	asked     time.Time // noteAsked
	refresh   bool      // a refresh is asked for, and not done
	pending   bool      // an operation is asked for, and not done
	deleting  bool

	status     string // of the comparison with Git: "Synced", "OutOfSync", "Unknown", "" when there was none
	revision   string // that it compared with
	compared   bool   // with the source and the exceptions that the spec has now
	reconciled time.Time
	conditions []condition
	astray     []astray        // what is not as in Git
	wanted     map[string]bool // of the root: the Applications that its revision has
	op         operationState
}

type condition struct{ kind, message string }

// astray is an object that is not as in Git.
type astray struct {
	blueberry.ObjectRef
	prune bool // because it is not in Git
}

// operationState is the last sync, or the one that runs.
type operationState struct {
	phase    string // "Running", "Terminating", "Succeeded", "Failed", "Error", ""
	message  string
	revision string
	started  time.Time
	finished time.Time // of the last try, also while another one is to come
	retries  int
	results  []result // of objects with which it is not through, or not well
}

// result is what a sync made of one object.
type result struct {
	blueberry.ObjectRef
	status  string // "Synced", "SyncFailed", "Pruned", "PruneSkipped"
	phase   string // "Running", "Failed", "Error", ""
	message string
}

func (o operationState) running() bool { return o.phase == "Running" || o.phase == "Terminating" }
func (o operationState) failed() bool  { return o.phase == "Failed" || o.phase == "Error" }

func versionOf(s string) uint64 {
	v, _ := strconv.ParseUint(s, 10, 64)
	return v
}

// read summarizes an Application.
func read(u *unstructured.Unstructured) *application {
	notes := u.GetAnnotations()
	x := &application{
		name: u.GetName(), uid: string(u.GetUID()), version: versionOf(u.GetResourceVersion()), spec: specOf(u), isTaken: notes[noteTaken] != "",
		asked: timeOf(notes[noteAsked]), refresh: notes[noteRefresh] != "", pending: u.Object["operation"] != nil, deleting: u.GetDeletionTimestamp() != nil,
		status: str(u.Object, "status", "sync", "status"), revision: str(u.Object, "status", "sync", "revision"),
		reconciled: timeOf(str(u.Object, "status", "reconciledAt")),
	}
	to, _, _ := unstructured.NestedFieldNoCopy(u.Object, "status", "sync", "comparedTo")
	comparedTo, _ := to.(map[string]any)
	spec, _ := u.Object["spec"].(map[string]any)
	x.compared = comparedTo != nil && text(comparedTo["source"]) == text(spec["source"]) && text(comparedTo["ignoreDifferences"]) == text(spec["ignoreDifferences"])
	if notes[noteProject] != "" {
		x.ref = target.Ref{Project: notes[noteProject], Environment: notes[noteEnvironment], Namespace: str(u.Object, "spec", "destination", "namespace")}
	}
	for _, c := range list(u.Object, "status", "conditions") {
		x.conditions = append(x.conditions, condition{str(c, "type"), str(c, "message")})
	}
	for _, r := range list(u.Object, "status", "resources") {
		prune := r["requiresPruning"] == true
		if str(r, "kind") == "Application" && !prune {
			if x.wanted == nil {
				x.wanted = map[string]bool{}
			}
			x.wanted[str(r, "name")] = true
		}
		if s := str(r, "status"); s != "Synced" && s != "" {
			x.astray = append(x.astray, astray{objectOf(r), prune})
		}
	}
	x.op = readOperation(u)
	h := fnv.New64a()
	_, _ = h.Write([]byte(x.spec + text(u.Object["status"]) + text(u.Object["operation"]) + text(notes) + text(u.GetDeletionTimestamp())))
	x.sum = h.Sum64()
	return x
}

func readOperation(u *unstructured.Unstructured) operationState {
	state, _, _ := unstructured.NestedFieldNoCopy(u.Object, "status", "operationState")
	s, _ := state.(map[string]any)
	if s == nil {
		return operationState{}
	}
	o := operationState{
		phase: str(s, "phase"), message: str(s, "message"), revision: str(s, "syncResult", "revision"),
		started: timeOf(str(s, "startedAt")), finished: timeOf(str(s, "finishedAt")),
	}
	if o.revision == "" {
		o.revision = str(s, "operation", "sync", "revision")
	}
	if n, ok := s["retryCount"].(int64); ok {
		o.retries = int(n)
	}
	for _, r := range list(s, "syncResult", "resources") {
		x := result{objectOf(r), str(r, "status"), str(r, "hookPhase"), str(r, "message")}
		if x.status == "SyncFailed" || x.phase == "Running" || x.phase == "Failed" || x.phase == "Error" {
			o.results = append(o.results, x)
		}
	}
	return o
}

func objectOf(r map[string]any) blueberry.ObjectRef {
	o := blueberry.ObjectRef{APIVersion: str(r, "version"), Kind: str(r, "kind"), Namespace: str(r, "namespace"), Name: str(r, "name")}
	if group := str(r, "group"); group != "" {
		o.APIVersion = group + "/" + o.APIVersion
	}
	return o
}

func str(o map[string]any, path ...string) string {
	v, _, _ := unstructured.NestedFieldNoCopy(o, path...)
	s, _ := v.(string)
	return s
}

func list(o map[string]any, path ...string) []map[string]any {
	v, _, _ := unstructured.NestedFieldNoCopy(o, path...)
	items, _ := v.([]any)
	out := make([]map[string]any, 0, len(items))
	for _, x := range items {
		if m, ok := x.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

func timeOf(s string) time.Time {
	t, _ := time.Parse(time.RFC3339Nano, s)
	return t
}

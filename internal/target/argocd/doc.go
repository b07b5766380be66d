// Package argocd is the target driver whose manifests are applied by an Argo CD, from the GitOps repository.
//
// It owns the Argo CD objects of a target: one Application for each environment, one AppProject for each project, and one root Application that makes the
// Applications of the repository. It reads from their status how far a commit came, and ends all of it, with proof, before an environment is removed or
// given to another driver. It does not own what is observed, compared and removed on the destination cluster: that is the kube driver, which it wraps and
// which knows that Argo CD applies in its name; nor the commits, which provision makes.
//
// It talks to Argo CD by its Kubernetes objects alone, never by its own API: these are what it keeps its word by, and no further credential is needed. Of
// an object of Argo CD only the fields that matter are read, so no version of its libraries binds us.
//
// An AppProject is applied by the driver and no file in Git: it belongs to many environments, and each environment's files go when it goes.
//
// Invariant: an Application is made only where nothing of others stands in its way, and never deletes what runs.
package argocd

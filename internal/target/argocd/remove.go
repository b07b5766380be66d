package argocd

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// Remove implements target.Driver. As long as an Application is there, or could be made again, nothing of the environment is touched: Argo CD would put it
// back. The file of the Application has left Git before.
func (d *Driver) Remove(ctx context.Context, ref target.Ref, ledger []blueberry.LedgerEntry) ([]blueberry.ObjectRef, error) {
	why, err := d.letGo(ctx, ref)
	if err != nil {
		return nil, err
	}
	if why != "" {
		d.memory.edit(ref, func(r *remembered) {
			if r.held != why {
				d.log.Debug("an Application is not gone yet", "application", d.config.applicationName(ref), "reason", why)
			}
			r.held = why
		})
		return []blueberry.ObjectRef{d.config.objectRef(d.config.applicationName(ref))}, nil
	}
	left, err := d.Driver.Remove(ctx, ref, ledger)
	if err == nil && len(left) == 0 {
		d.memory.forget(ref)
		d.dropProject(ctx, ref.Project)
	}
	return left, err
}

// Release implements target.Releaser. What runs stays, and is put into the hands of the driver that comes.
func (d *Driver) Release(ctx context.Context, ref target.Ref) error {
	why, err := d.letGo(ctx, ref)
	if err != nil {
		return err
	}
	if why != "" {
		return blueberry.Errorf(blueberry.Unavailable, "ARGOCD_HOLDS", "Argo CD does not let go of %s/%s yet: %s", ref.Project, ref.Environment, why)
	}
	if err := d.HandOver(ctx, ref, applier, fieldManager, noteTracking, noteInstallation); err != nil {
		return err
	}
	d.memory.forget(ref)
	d.dropProject(ctx, ref.Project)
	return nil
}

// letGo ends all that Argo CD does for an environment, and leaves what it applied. The empty answer is proof: the Application is gone, no sync of it runs,
// and the root Application has looked at Git since and will not make it again.
func (d *Driver) letGo(ctx context.Context, ref target.Ref) (why string, err error) {
	app, err := d.apps.get(ctx, d.config.applicationName(ref))
	if err != nil {
		return "", err
	}
	root, err := d.apps.get(ctx, d.config.rootName())
	if err != nil {
		return "", err
	}
	if root != nil {
		if why, err := d.disowned(ctx, root, ref); why != "" || err != nil {
			return why, err
		}
	}
	if app == nil {
		return "", nil
	}
	v := view{application: app}
	switch {
	case app.deleting:
		return "it is being deleted", nil
	case app.op.phase == "Terminating":
		return "its sync is being ended", d.silent(v)
	case app.op.phase == "Running":
		return "its sync is being ended", d.terminate(ctx, v)
	}
	return d.deleteApplication(ctx, app)
}

// disowned tells why the root Application may still make an environment's.
func (d *Driver) disowned(ctx context.Context, root *application, ref target.Ref) (why string, err error) {
	var r remembered
	d.memory.edit(ref, func(x *remembered) {
		if x.removing.IsZero() {
			x.removing, x.disowned = d.now().UTC(), ""
		}
		r = *x
	})
	if d.apps.rootLooked().Before(r.removing) {
		if root.asked.Before(r.removing) {
			d.root.want(soon)
			return "the root Application has not looked at Git since", nil
		}
		return "the root Application looks at Git", d.silent(view{application: root})
	}
	if root.wanted[d.config.applicationName(ref)] && !pathless(root) {
		if !root.refresh && d.now().Sub(root.asked) > tryAgain {
			d.root.want(soon)
		}
		return "its file is in Git", nil
	}
	if r.disowned == "" {
		r.disowned = root.revision
		d.memory.edit(ref, func(x *remembered) { x.disowned = root.revision })
	}
	if !root.op.running() {
		return "", nil
	}
	// A sync of the root that began before may still make it.
	if later, err := d.contains(ctx, root.op.revision, r.disowned); err != nil || later {
		return "", err
	}
	return "the root Application is being synced", d.silent(view{application: root})
}

// pathless reports whether Git has no Application for the target at all.
func pathless(root *application) bool {
	for _, c := range root.conditions {
		if c.kind == "ComparisonError" && strings.Contains(c.message, "app path does not exist") {
			return true
		}
	}
	return false
}

// deleteApplication deletes the very Application that was looked at, and nothing that it applied.
func (d *Driver) deleteApplication(ctx context.Context, app *application) (why string, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	client := d.client.Resource(applicationKind()).Namespace(d.config.Namespace)
	uid, version := types.UID(app.uid), fmt.Sprint(app.version)
	err = client.Delete(ctx, app.name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid, ResourceVersion: &version}})
	switch {
	case apierrors.IsConflict(err):
		return "it changes", nil // the watch tells how
	case err != nil && !apierrors.IsNotFound(err):
		return "", argoFault(ctx, "delete Application "+app.name, err)
	}
	live, err := client.Get(ctx, app.name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		d.apps.remove(app.name, 0)
		return "", nil
	case err != nil:
		return "", argoFault(ctx, "read Application "+app.name, err)
	}
	d.apps.put(live)
	return "it is being deleted", nil
}

// dropProject deletes a project's AppProject when no Application needs it. It is made again at need, so a failure costs nothing but the object.
func (d *Driver) dropProject(ctx context.Context, project string) {
	d.projects.mu.Lock()
	defer d.projects.mu.Unlock()
	if d.apps.others(project) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := d.client.Resource(projectKind()).Namespace(d.config.Namespace).Delete(ctx, d.config.projectName(project), metav1.DeleteOptions{})
	delete(d.projects.of, project)
	if err != nil && !apierrors.IsNotFound(err) {
		d.log.Warn("an AppProject that nobody needs is left behind", "project", project, "error", err)
	}
}

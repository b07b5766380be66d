package kube

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/util/exec"
	"k8s.io/klog/v2"
	"k8s.io/streaming/pkg/httpstream"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// Shell implements target.Sheller: by WebSocket, and by SPDY where a server or a proxy does not take that. A Stdin that never ends keeps one goroutine until
// its next Read returns.
func (d *Driver) Shell(ctx context.Context, ref target.Ref, s target.ShellRequest) (exit int, err error) {
	pod, container, err := d.shellPod(ctx, ref, s)
	if err != nil {
		return 0, err
	}
	outer := ctx
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(callTimeout, func() { cancel(context.DeadlineExceeded) })
	defer watchdog.Stop()
	opened := sync.OnceFunc(func() {
		watchdog.Stop()
		if s.Opened != nil {
			s.Opened(pod, container)
		}
	})
	options := remotecommand.StreamOptions{Stdin: s.Stdin, Stdout: s.Stdout, Stderr: s.Stderr, Tty: s.TTY}
	if s.TTY {
		options.Stderr = nil
		if s.Resize != nil {
			options.TerminalSizeQueue = sizes{ctx, s.Resize}
		}
	}
	err = d.stream(klog.NewContext(ctx, logr.Discard()), ref.Namespace, pod, container, s, options, opened)
	if ended := (exec.CodeExitError{}); errors.As(err, &ended) {
		return ended.Code, nil
	}
	if err != nil {
		return 0, shellFault(outer, pod, container, timedOut(ctx, err))
	}
	return 0, nil
}

// shellPod finds where to run: only in pods that carry the labels of the environment.
func (d *Driver) shellPod(ctx context.Context, ref target.Ref, s target.ShellRequest) (pod, container string, err error) {
	pods, err := d.pods(ctx, ref, s.Component)
	if err != nil {
		return "", "", err
	}
	var found *unstructured.Unstructured
	for i := range pods {
		p := &pods[i]
		if s.Pod != "" && p.GetName() == s.Pod || s.Pod == "" && found == nil && isReady(p) {
			found = p
		}
	}
	switch {
	case found == nil && s.Pod != "":
		return "", "", blueberry.Errorf(blueberry.NotFound, "POD_NOT_FOUND", "the environment has no pod %s", s.Pod)
	case found == nil && len(pods) == 0:
		return "", "", blueberry.Errorf(blueberry.NotFound, "POD_NOT_FOUND", "no pod of %s is there", subjectOf(s.Component))
	case found == nil:
		return "", "", blueberry.Errorf(blueberry.Conflict, "POD_NOT_READY", "no pod of %s is ready; name a pod to open a shell in it all the same", subjectOf(s.Component))
	}
	list, _, _ := unstructured.NestedFieldNoCopy(found.Object, "spec", "containers")
	for _, c := range objects(list) {
		if s.Container == "" || text(c["name"]) == s.Container {
			return found.GetName(), text(c["name"]), nil
		}
	}
	for _, c := range containers(found) { // an init container that runs on, or one that was added to look inside
		if c.Name == s.Container {
			return found.GetName(), c.Name, nil
		}
	}
	return "", "", blueberry.Errorf(blueberry.NotFound, "CONTAINER_NOT_FOUND", "pod %s has no container %s", found.GetName(), s.Container)
}

func subjectOf(component string) string {
	if component == "" {
		return "the environment"
	}
	return "component " + component
}

// stream runs the command on a connection of its own. Opened is called when the API has agreed to carry the streams.
func (d *Driver) stream(
	ctx context.Context, namespace, pod, container string, s target.ShellRequest, options remotecommand.StreamOptions, opened func(),
) error {
	cfg := rest.CopyConfig(d.config)
	cfg.UserAgent = "blueberry"
	cfg.Wrap(func(next http.RoundTripper) http.RoundTripper { return upgrade{next, opened} })
	address, _, err := rest.DefaultServerUrlFor(cfg)
	if err != nil {
		return fmt.Errorf("read the address of the target: %w", err)
	}
	address = address.JoinPath("/api/v1/namespaces", namespace, "pods", pod, "exec")
	query := url.Values{"container": {container}, "command": s.Command}
	for name, wanted := range map[string]bool{"stdin": s.Stdin != nil, "stdout": s.Stdout != nil, "stderr": options.Stderr != nil, "tty": s.TTY} {
		if wanted {
			query.Set(name, "true")
		}
	}
	address.RawQuery = query.Encode()
	socket, err := remotecommand.NewWebSocketExecutor(cfg, http.MethodGet, address.String())
	if err != nil {
		return fmt.Errorf("make a WebSocket: %w", err)
	}
	err = socket.StreamWithContext(ctx, options)
	failure := new(httpstream.UpgradeFailureError)
	if !errors.As(err, &failure) && !httpstream.IsHTTPSProxyError(err) {
		return err
	}
	old, err2 := remotecommand.NewSPDYExecutor(cfg, http.MethodPost, address)
	if err2 != nil {
		return fmt.Errorf("make a SPDY connection: %w", err2)
	}
	err2 = old.StreamWithContext(ctx, options)
	if err2 != nil && strings.Contains(err2.Error(), "unable to upgrade connection") && failure.Cause != nil {
		return failure.Cause // says more: the answer of the API as it is
	}
	return err2
}

// upgrade tells when a connection has become one of streams.
type upgrade struct {
	next   http.RoundTripper
	opened func()
}

// RoundTrip asks for the upgrade.
func (u upgrade) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := u.next.RoundTrip(req)
	if err == nil && resp.StatusCode == http.StatusSwitchingProtocols {
		u.opened()
	}
	return resp, err
}

// sizes gives the sizes of a terminal as they change.
type sizes struct {
	ctx     context.Context
	changes <-chan target.TerminalSize
}

// Next waits for the next size; nil means that there is none any more.
func (s sizes) Next() *remotecommand.TerminalSize {
	select {
	case size, ok := <-s.changes:
		if !ok {
			return nil
		}
		return &remotecommand.TerminalSize{Width: size.Width, Height: size.Height}
	case <-s.ctx.Done():
		return nil
	}
}

// shellFault tells why a command could not be run, or what cut it off.
func shellFault(ctx context.Context, pod, container string, err error) error {
	doing := fmt.Sprintf("run a command in container %s of pod %s", container, pod)
	status := apierrors.APIStatus(nil)
	switch said := err.Error(); {
	case strings.Contains(said, "executable file not found"), strings.Contains(said, "no such file or directory"):
		return blueberry.Errorf(blueberry.Invalid, "COMMAND_NOT_FOUND", "%s: the image has no such program", doing)
	case strings.Contains(said, "container not found"), strings.Contains(said, "is not running"):
		return blueberry.Errorf(blueberry.Conflict, "CONTAINER_NOT_RUNNING", "%s: the container does not run", doing)
	case errors.As(err, &status) && apierrors.IsNotFound(err):
		return blueberry.Errorf(blueberry.NotFound, "POD_NOT_FOUND", "%s: the pod is gone", doing)
	}
	return lacking(ctx, doing, "run commands in pods (get and create pods/exec)", err)
}

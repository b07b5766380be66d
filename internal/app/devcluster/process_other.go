//go:build !unix

package devcluster

import (
	"context"
	"os"
	"os/exec"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func ownGroup(*exec.Cmd) {}

func interruptGroup(p *os.Process) error { return p.Kill() }

// lock refuses: the development cluster runs on Linux and macOS only.
func lock(context.Context, string, func()) (unlock func(), err error) {
	return nil, blueberry.Errorf(blueberry.Unavailable, "DEVCLUSTER_UNSUPPORTED",
		"the development cluster runs on Linux and macOS only: use a cluster of your own with --kubeconfig")
}

package cli_test

import (
	"context"
	"os"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/cli"
)

// asCLI is the variable by which the test binary is the command line itself, so that a test can have several processes.
const asCLI = "BLUEBERRY_TEST_AS_CLI"

func TestMain(m *testing.M) {
	if os.Getenv(asCLI) != "" {
		s := cli.System()
		os.Exit(cli.Execute(context.Background(), cli.NewRoot(s, "0.0.0-test"), s))
	}
	os.Exit(m.Run())
}

package terminal

import (
	"context"
	"os"
	"os/signal"

	"fleetwarden/shared/fcrun"
	"fleetwarden/shared/invocation"
)

// Serve runs f for the process: under Function Compute until the platform ends it, in a
// terminal once, as its arguments say. It does not return.
func Serve(f invocation.Function) {
	if fcrun.Inside() {
		fcrun.Start(f)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := Main(ctx, f, Env{Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv})
	stop()
	os.Exit(code)
}

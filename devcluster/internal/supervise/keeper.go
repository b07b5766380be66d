package supervise

import (
	"strconv"
	"time"
)

// keeper is a shell that stands in for EndWithParent where the program is not ours: it runs the program, passes SIGTERM on,
// ends with the program's code, and ends the program when the lifeline (file 3) does. $1 is how many tenths of a second the
// program may take then, the rest is the program.
const keeper = `
patience=$1; shift
"$@" 3<&- & child=$!
trap 'kill -TERM "$child" 2>/dev/null' TERM
(
  read -r _ <&3
  kill -TERM "$child"
  while [ "$patience" -gt 0 ] && kill -0 "$child"; do sleep 0.1; patience=$((patience - 1)); done
  kill -KILL "$child"
) 2>/dev/null & watch=$!
while :; do
  wait "$child"; code=$?
  kill -0 "$child" 2>/dev/null || break # else it was the trap that woke us
done
kill "$watch" 2>/dev/null
exit "$code"
`

// keeping is the command line that runs a foreign program.
func keeping(path string, args []string, grace time.Duration) (string, []string) {
	return "/bin/sh", append([]string{"-c", keeper, "keeper", strconv.Itoa(int(grace / (100 * time.Millisecond))), path}, args...)
}

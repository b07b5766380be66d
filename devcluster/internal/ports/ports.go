package ports

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"strconv"

	"github.com/blueberry-idp/blueberry/devcluster/internal/atomicfile"
)

// Ports are chosen below the range that Linux (from 32768) and macOS (from 49152) take for outgoing connections, so
// that no passing connection sits on a remembered port, and below Kubernetes' own node ports (from 30000).
const (
	lowest  = 20000
	highest = 29999
)

// Fixed asks for one certain port for a name.
type Fixed struct {
	Name string
	Port int // 0: any
}

// Assign gives a port to every name: the fixed one, else the remembered one when it is free, else a new one, and remembers
// them in file. moved are the names whose remembered port was in use. A fixed port that is in use is an error.
func Assign(ctx context.Context, file string, names []string, fixed Fixed) (ports map[string]int, moved []string, err error) {
	known, err := read(file)
	if err != nil {
		return nil, nil, err
	}
	ports = map[string]int{}
	used := map[int]bool{}
	if fixed.Port != 0 {
		if !free(ctx, fixed.Port) {
			return nil, nil, fmt.Errorf("port %d is in use", fixed.Port)
		}
		ports[fixed.Name], used[fixed.Port] = fixed.Port, true
	}
	for _, name := range names {
		if ports[name] != 0 {
			continue
		}
		port := known[name]
		if port != 0 && (used[port] || !free(ctx, port)) {
			moved = append(moved, name)
			port = 0
		}
		if port == 0 {
			if port, err = choose(ctx, used); err != nil {
				return nil, nil, fmt.Errorf("choose port for %s: %w", name, err)
			}
		}
		ports[name], used[port] = port, true
	}
	return ports, moved, write(file, ports)
}

// read gives nothing for a file that is not there or cannot be understood: then all ports are chosen anew.
func read(file string) (map[string]int, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read ports: %w", err)
	}
	var known map[string]int
	if understood := json.Unmarshal(data, &known) == nil; !understood {
		known = nil
	}
	for name, port := range known {
		if port < 1 || port > 65535 {
			delete(known, name)
		}
	}
	return known, nil
}

func write(file string, ports map[string]int) error {
	data, err := json.MarshalIndent(ports, "", "  ")
	if err != nil {
		return fmt.Errorf("write ports: %w", err)
	}
	return atomicfile.Write(file, append(data, '\n'))
}

func choose(ctx context.Context, used map[int]bool) (int, error) {
	for range 1000 {
		port := lowest + rand.IntN(highest-lowest+1)
		if !used[port] && free(ctx, port) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no free port between %d and %d", lowest, highest)
}

func free(ctx context.Context, port int) bool {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	return l.Close() == nil
}

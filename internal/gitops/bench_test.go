package gitops_test

import (
	"bytes"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/gitops"
)

// BenchmarkCommit is the row "create → rendered manifests in Git" of the numbers to hold: two files of 10 kB for each environment, from as many
// goroutines as there are job workers.
func BenchmarkCommit(b *testing.B) {
	for _, there := range []int{0, 10000} {
		for _, workers := range []int{1, 32} {
			b.Run(fmt.Sprintf("there=%d/workers=%d", there, workers), func(b *testing.B) {
				var batches atomic.Int64
				r, _ := open(b, gitops.Config{Dir: b.TempDir(), OnBatch: func(gitops.Batch) { batches.Add(1) }})
				if there > 0 { // in one commit: how they came does not matter
					old := map[string][]byte{}
					for i := range there {
						old[fmt.Sprintf("old-%d/01-web.yaml", i)] = fmt.Appendf(nil, "name: old-%d\n", i)
					}
					commit(b, r, gitops.Change{Dir: "targets/local/shop", Files: old})
				}
				batches.Store(0)
				b.ResetTimer()
				fill(b, r, "new", b.N, workers)
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
				b.ReportMetric(float64(b.N)/float64(batches.Load()), "commits/batch")
			})
		}
	}
}

func fill(b *testing.B, r *gitops.Repository, name string, n, workers int) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for {
				i := int(next.Add(1))
				if i > n {
					return
				}
				content := bytes.Repeat(fmt.Appendf(nil, "name: %s-%d\n", name, i), 10<<10/16)
				c := change(fmt.Sprintf("%s-%d", name, i), 1, map[string][]byte{"00-environment.yaml": content, "01-web.yaml": append(content, '#')})
				if _, err := r.Commit(b.Context(), c); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

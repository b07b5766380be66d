//go:build unix

package console_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
	"github.com/blueberry-idp/blueberry/internal/provision"
)

// crowd fills the record with environments, which nothing is done with.
func crowd(b *testing.B, s *site, n int) {
	b.Helper()
	now := time.Now()
	phases := []blueberry.Phase{blueberry.Ready, blueberry.Sleeping, blueberry.Degraded, blueberry.Failed, blueberry.Ready}
	for at := 0; at < n; at += 500 {
		err := s.Provisioner.Record.Update(b.Context(), func(tx provision.Tx) error {
			for i := at; i < min(at+500, n); i++ {
				e, err := blueberry.NewEnvironment(blueberry.EnvironmentRequest{
					Project: blueberry.DefaultProject, Name: fmt.Sprintf("crowd-%d", i), Target: "local", Owner: []string{"ada@example.com", "ben@example.com"}[i%2], Hours: 24 + i%100,
				}, now.Add(-time.Duration(n-i)*time.Second))
				if err != nil {
					return err
				}
				e.Version, e.Phase, e.Message = 1, phases[i%len(phases)], "1 of 1 pods are ready"
				e.Source = blueberry.Source{Repository: fmt.Sprintf("https://git.example.com/acme/app-%d.git", i%40), Commit: strings.Repeat("ab", 20)}
				if err := tx.InsertEnvironment(b.Context(), e); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// late gives the 95th of a hundred times, in milliseconds.
func late(times []time.Duration) float64 {
	slices.Sort(times)
	return float64(times[min(len(times)-1, len(times)*95/100)].Microseconds()) / 1000
}

// worked is the processor time that the process has taken: it says the same on a machine that has other things to do.
func worked(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkEnvironmentsPage is the page of environments over 10,000 of them, as a browser gets it.
func BenchmarkEnvironmentsPage(b *testing.B) {
	s := newSite(b)
	crowd(b, s, 10000)
	for _, query := range []string{"", "?q=crowd-99&sort=name", "?phase=failed,degraded&sort=-updated_at", "?owner=ada%40example.com&restricted=no"} {
		b.Run("query="+query, func(b *testing.B) {
			var times []time.Duration
			before := worked(b)
			for b.Loop() {
				began := time.Now()
				if status, _, page := s.ask(b, httpapitest.Token, "/environments"+query, nil); status != http.StatusOK || !strings.Contains(page, "crowd-") {
					b.Fatalf("%d", status)
				}
				times = append(times, time.Since(began))
			}
			b.ReportMetric(late(times), "p95-ms")
			b.ReportMetric(float64((worked(b)-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
		})
	}
}

// BenchmarkOpenPages is 500 pages of environments that are open, of so many people with the same rights, while one of 10,000 changes: from the answer to the change until its bytes are with each page. It
// takes at most 100 changes, after which the lease cannot be longer: -benchtime 20x.
func BenchmarkOpenPages(b *testing.B) {
	for _, readers := range []int{1, 50, 500} {
		b.Run(fmt.Sprintf("readers=%d", readers), func(b *testing.B) {
			s := newSite(b)
			crowd(b, s, 10000)
			e := s.environment(b, "watched")
			ctx, end := context.WithCancel(b.Context())
			defer end()
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 500}}
			const pages = 500
			var wg sync.WaitGroup
			told := make(chan time.Time, 100*pages)
			for i := range pages {
				req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/environments", http.NoBody)
				if err != nil {
					b.Fatal(err)
				}
				req.Header.Set("X-Token", httpapitest.Token)
				req.Header.Set("Hx-Request", "true")
				req.Header.Set("X-Reader", fmt.Sprintf("reader-%d", i%readers))
				res, err := client.Do(req)
				if err != nil {
					b.Fatal(err)
				}
				wg.Go(func() {
					defer res.Body.Close()
					r := bufio.NewReaderSize(res.Body, 256<<10)
					for page := false; ; {
						line, err := r.ReadString('\n')
						if err != nil {
							return
						}
						if line == "\n" && page {
							told <- time.Now()
						}
						page = page && line != "\n" || strings.HasPrefix(line, "id: ")
					}
				})
			}
			hear := func(began time.Time) (times []time.Duration) {
				for len(times) < pages {
					select {
					case at := <-told:
						times = append(times, at.Sub(began))
					case <-b.Context().Done():
						b.Fatal("they are not told")
					}
				}
				return times
			}
			hear(time.Now()) // the first page of each
			var all []time.Duration
			before := worked(b)
			for b.Loop() {
				if _, err := s.client.ExtendEnvironment(b.Context(), e.ID, 1); err != nil {
					b.Fatal(err)
				}
				all = append(all, hear(time.Now())...)
			}
			b.ReportMetric(late(all), "p95-ms")
			b.ReportMetric(float64((worked(b)-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
			end()
			wg.Wait()
		})
	}
}

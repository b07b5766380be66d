package app

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/blueberry-idp/blueberry/internal/gitops"
	"github.com/blueberry-idp/blueberry/internal/jobs"
	"github.com/blueberry-idp/blueberry/internal/store"
)

// metrics are the platform's own figures, in Prometheus names and units.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec

	batches              prometheus.Histogram
	commits, batchErrors prometheus.Counter
	redisOutages         prometheus.Counter
}

func newMetrics(version string) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "blueberry_http_request_duration_seconds", Help: "Time to answer a request.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"route", "status"}),
		batches: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "blueberry_gitops_batch_duration_seconds", Help: "Time of one group commit, from taking the revisions to their commits.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 5, 30},
		}),
		commits:     prometheus.NewCounter(prometheus.CounterOpts{Name: "blueberry_gitops_commits_total", Help: "Commits made in the GitOps repository."}),
		batchErrors: prometheus.NewCounter(prometheus.CounterOpts{Name: "blueberry_gitops_batch_errors_total", Help: "Group commits that failed."}),
	}
	m.redisOutages = prometheus.NewCounter(prometheus.CounterOpts{Name: "blueberry_redis_outages_total", Help: "Outages of Redis, in which this process counted alone."})
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "blueberry_build_info", Help: "Always 1; the version is a label."}, []string{"version"})
	build.WithLabelValues(version).Set(1)
	m.registry.MustRegister(m.requests, m.batches, m.commits, m.batchErrors, m.redisOutages, build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) redisOutage() { m.redisOutages.Inc() }

// follow adds the figures that are read from the record when someone asks.
func (m *metrics) follow(s *store.Store, q *jobs.Queue) {
	m.registry.MustRegister(&recordCollector{
		store: s, queue: q,
		environments: prometheus.NewDesc("blueberry_environments", "Environments by phase.", []string{"phase"}, nil),
		jobs:         prometheus.NewDesc("blueberry_jobs", "Jobs by state.", []string{"state"}, nil),
		up:           prometheus.NewDesc("blueberry_record_up", "1 when the record could be read for this answer.", nil, nil),
	})
}

type recordCollector struct {
	store                  *store.Store
	queue                  *jobs.Queue
	environments, jobs, up *prometheus.Desc
}

// Describe tells the names.
func (c *recordCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- c.environments
	ch <- c.jobs
	ch <- c.up
}

// Collect reads the record once.
func (c *recordCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	up := 1.0
	err := c.store.View(ctx, func(tx *store.Tx) error {
		counts, err := tx.CountEnvironmentsByPhase(ctx)
		for phase, n := range counts {
			ch <- prometheus.MustNewConstMetric(c.environments, prometheus.GaugeValue, float64(n), string(phase))
		}
		return err
	})
	if err != nil {
		up = 0
	}
	depth, err := c.queue.Depth(ctx)
	if err != nil {
		up = 0
	}
	for state, n := range depth {
		ch <- prometheus.MustNewConstMetric(c.jobs, prometheus.GaugeValue, float64(n), string(state))
	}
	ch <- prometheus.MustNewConstMetric(c.up, prometheus.GaugeValue, up)
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// request measures one answer by the route that gave it, so that neither ids in paths nor made-up paths and methods make new series.
func (m *metrics) request(route string, status int, took time.Duration) {
	if route == "" {
		route = "none"
	}
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Observe(took.Seconds())
}

// batch measures one group commit.
func (m *metrics) batch(b gitops.Batch) {
	m.commits.Add(float64(b.Commits))
	m.batches.Observe(b.Duration.Seconds())
	if b.Err != nil {
		m.batchErrors.Inc()
	}
}

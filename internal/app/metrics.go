package app

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/blueberry-idp/blueberry/internal/jobs"
	"github.com/blueberry-idp/blueberry/internal/store"
)

// metrics are the platform's own figures, in Prometheus names and units.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
}

func newMetrics(version string) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "blueberry_http_request_duration_seconds", Help: "Time to answer a request.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"method", "route", "status"}),
	}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "blueberry_build_info", Help: "Always 1; the version is a label."}, []string{"version"})
	build.WithLabelValues(version).Set(1)
	m.registry.MustRegister(m.requests, build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

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

// observe measures every request of next by the route that answered it, so that ids in paths make no new series.
func (m *metrics) observe(next *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		rec := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(rec, r)
		_, route := next.Handler(r)
		m.requests.WithLabelValues(r.Method, route, strconv.Itoa(rec.status)).Observe(time.Since(start).Seconds())
	})
}

// statusRecorder remembers the status of an answer.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the status.
func (r *statusRecorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap gives http.ResponseController the writer below.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

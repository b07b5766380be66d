# Blueberry. `make` alone lists the targets.
SHELL := /bin/sh
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
TESTENV := go run ./e2e/testenv
# The tests want these beside Kubernetes. Each is built once from its module, like the cluster.
EXTRAS := -with argocd,rollouts,metrics
# The race detector watches all but SQLite, which is C in the form of Go, with locks of its own, and the parsers of YAML, which go through bytes of one caller:
# watched, these two take most of the time.
# Binaries of tests are linked without what debuggers read, which takes a third less of the time.
RACE := -ldflags=-w $(shell sed "s/.*/'&'/" e2e/installation/race.flags)

.DEFAULT_GOAL := help
.PHONY: help dev build slim test unit e2e soak fuzz bench bench-argocd screenshots lint fmt generate drift check clean need-go

help: ## list the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

dev: build ## run the platform with everything it needs, on this machine
	@scripts/need git
	bin/blueberry dev --devcluster-source devcluster

build: need-go ## build bin/blueberry
	go build -ldflags "$(LDFLAGS)" -o bin/blueberry ./cmd/blueberry

slim: need-go ## build bin/blueberry-slim, the client alone
	go build -tags slim -ldflags "$(LDFLAGS)" -o bin/blueberry-slim ./cmd/blueberry

# The stories come by themselves: browsers and servers that others keep waiting break off.
test: need-go ## set up and run every test: unit, both databases, the real Kubernetes API, stories on the real binary
	@scripts/need git gcc postgres redis node chromium curl
	cd devcluster && go vet ./internal/... && go test -race ./internal/...
	$(TESTENV) $(EXTRAS) -- sh -c "bad=0; go test $(RACE) -timeout 40m -parallel 6 \$$(go list ./... | grep -v /e2e) || bad=1; \
		go test -run TestPullRequestsEqualAModel ./internal/source || bad=1; go test $(RACE) -timeout 40m -p 1 -parallel 4 ./e2e/... || bad=1; exit \$$bad"

unit: need-go ## run the tests that need no server beside SQLite
	BLUEBERRY_TEST_WITHOUT_POSTGRES=1 go test ./internal/blueberry/... ./internal/arch/... ./internal/render/... ./internal/provision/... ./internal/store/... ./internal/jobs/... ./internal/httpapi/... ./internal/cli/... ./sdk/...

e2e: need-go ## run the stories on the real binary
	@scripts/need git gcc postgres redis node chromium curl
	$(TESTENV) $(EXTRAS) -- go test -timeout 30m ./e2e/...

soak: need-go ## hours: kill -9 at every step of a life, on both databases, with both drivers, twenty times over; leases of 5,000 environments; 10,000 events of pull requests
	@scripts/need git gcc postgres redis
	BLUEBERRY_TEST_SOAK=1 $(TESTENV) $(EXTRAS) -- go test -timeout 1440m -run 'TestKillAtEveryStep|TestLifeAtScale|TestPullRequestsEqualAModel' -v ./e2e/... ./internal/provision/... ./internal/source

FUZZTIME ?= 10s
FUZZERS := internal/render:FuzzParseBlueprint internal/render:FuzzParseValues internal/render:FuzzScore internal/policy:FuzzCheck internal/catalog:FuzzCases internal/access:FuzzPHC internal/access/oauth:FuzzAuthorizeQuery internal/access/oauth:FuzzTokenBody internal/audit:FuzzVerifyAudit internal/pki:FuzzPEM internal/target/kube:FuzzKubeconfig internal/source/github:FuzzRead internal/source/gitlab:FuzzRead internal/source/gitea:FuzzRead internal/source/bitbucket:FuzzRead internal/source/generic:FuzzRead internal/source/argocd:FuzzRead internal/source/gitlab:FuzzPulls internal/source/sim:FuzzCalls internal/source/ciformat:FuzzJUnit internal/source/ciformat:FuzzCoverage internal/source/ciformat:FuzzScan internal/source/ciformat:FuzzLint internal/source/ciformat:FuzzSBOM internal/source/ciformat:FuzzAuto internal/blueberry:FuzzLabelSelector internal/blueberry:FuzzSubscriptionAddress internal/blueberry:FuzzPullCommands

fuzz: need-go ## look for input from outside that breaks its readers, for FUZZTIME each
	@for f in $(FUZZERS); do scripts/fuzz $$f $(FUZZTIME) || exit 1; done

bench: need-go ## print the numbers to hold (docs/design/numbers.md)
	@scripts/need git gcc postgres
	$(TESTENV) -- go run ./e2e/bench $(BENCH)

bench-argocd: need-go ## measure the drivers side by side with Argo CD alone (docs/design/numbers.md)
	@scripts/need git gcc redis
	go run ./e2e/testenv -with argocd,argocd-applicationset -- go run ./e2e/bench -only side $(BENCH)

SCREENSHOTS ?= docs/guide/pictures

screenshots: need-go ## take the pictures of the guide anew, of a server of its own
	@scripts/need git chromium
	go run ./e2e/screenshots -out $(SCREENSHOTS)

lint: need-go ## check form and findings
	@scripts/need shellcheck
	cd tools && go build -o ../bin/ github.com/golangci/golangci-lint/v2/cmd/golangci-lint mvdan.cc/gofumpt github.com/rhysd/actionlint/cmd/actionlint
	bin/actionlint examples/pipelines/github/blueberry.yml examples/pipelines/gitea/blueberry.yml
	shellcheck examples/pipelines/report.sh scripts/need scripts/fuzz .ci/run
	bin/golangci-lint run ./...
	cd devcluster && ../bin/golangci-lint run --config ../.golangci.yml ./internal/...

fmt: need-go ## format
	cd tools && go build -o ../bin/ mvdan.cc/gofumpt
	bin/gofumpt -w $$(git ls-files '*.go')

generate: need-go ## make the committed generated files anew (pages with their style sheet and scripts, for which Node 20 is needed, OpenAPI, command reference, golden files)
	@scripts/need node
	cd tools && go build -o ../bin/ github.com/a-h/templ/cmd/templ
	cd internal/web/assets && npm ci --silent --no-audit --no-fund && npm run --silent build 2>/dev/null
	go generate ./...

drift: generate ## fail when a generated file is not what is committed
	go mod tidy -diff
	cd devcluster && go mod tidy -diff
	cd devcluster/argocd && go mod tidy -diff
	cd devcluster/rollouts && go mod tidy -diff
	cd devcluster/metrics && go mod tidy -diff
	@test -z "$$(git status --porcelain)" || { git status --short; git diff; echo "generated files are not what is committed: run make generate and commit" >&2; exit 1; }

check: lint drift test fuzz ## everything that CI runs

clean: ## remove what was built
	rm -rf bin

need-go:
	@command -v go >/dev/null 2>&1 || { echo "Go 1.26 or newer is needed: https://go.dev/dl/" >&2; exit 1; }

# Verbs: run, test, lint, bench, e2e, build. Each works from a clean checkout.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The standard library is part of the program, and what is mended in it comes with the toolchain:
# it is the one that go.mod names, also where another is installed.
export GOTOOLCHAIN := $(shell sed -n 's/^toolchain //p' go.mod)

# Versions of the tools, which are no part of the program.
GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOVULNCHECK   := golang.org/x/vuln/cmd/govulncheck@v1.9.0
PROMTOOL      := github.com/prometheus/prometheus/cmd/promtool@v0.316.0

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

.PHONY: help run build test unit race racy quickfuzz e2e attack chaos fuzz bench soak profile lint alerts

help: ## this list
	@grep -E '^[a-z0-9]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: ## everything on this machine: server, mailbox, sample app
	go build -o bin/idp ./cmd/idp
	@exec bin/idp dev

build: ## the program, as bin/idp
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o bin/idp ./cmd/idp

test: unit racy quickfuzz e2e ## everything: both engines, races, browser, clients

# SQLite is pure Go here and 7 to 10 times slower under the race detector; 2 cores
# need their time. So the detector sees of the protocol, of the pages of the console, of the commands and of
# the engine for SQLite what many do at once, nothing of pages and calls whose tests do one thing after the other
# (all pages in all languages among them), and of everything else, all. "make race" has it see the rest, too.
unit: ## all packages, what is concurrent under the race detector, on both engines
	.ci/need cc postgres
	go vet ./...
	go test -race -timeout 20m -skip EveryPage $$(go list ./... | grep -v -e '/e2e' -e '/op$$' -e '/web/console' -e '/web/api$$' -e '/web/account$$' -e '/cmd/idp$$' -e '/store/sqlite$$')
	go test -race -timeout 10m -run 'Parallel|Twice|Origins|Replicas' ./op
	go test -race -timeout 10m -run 'Enter|Link|SessionEnds|Impatient|Apart' ./web/console ./web/console/shell
	go test -race -timeout 10m -run 'TestContract/(Parallel|GuessBudget|IPBudget|MixedLoad|Nothing)|Test[^C]' ./store/sqlite
	go test -race -timeout 10m -run 'Test(On|Postgres|SQLite).*/(serve|stop|webhook|dev)$$' ./cmd/idp
	go test -timeout 10m ./op ./web/console/... ./web/api ./web/account ./cmd/idp ./store/sqlite
	go test -timeout 10m -run EveryPage ./web/signin

race: ## all packages under the race detector, whole; takes half an hour
	.ci/need cc postgres
	go test -race -timeout 60m $$(go list ./... | grep -v -e '/e2e')

racy: ## shows that the race tests can fail
	.ci/need cc postgres
	.ci/racy

# Always run: Go's cache of results does not see what the program is made of that they build.
e2e: ## the built program with a real browser and real clients
	.ci/need cc postgres chromium node python apache proxies systemd
	go test -timeout 25m -count 1 ./e2e/...
	go test -tags browser -timeout 10m -run Script ./web/signin ./web/account ./web/console/...
	go test -tags browser -timeout 10m -run Shots ./mailer

attack: ## attacks the built program at length: races, flows by the hundred thousand
	.ci/need cc postgres
	IDP_ATTACK=long go test -timeout 60m -count 1 -v ./e2e/attack

chaos: ## what the product stands on breaks while people sign in; the table of docs/reliability.md (CHAOS_OUT=FILE gets it as JSON)
	.ci/need postgres faketime
	CHAOS_OUT="$(abspath $(or $(CHAOS_OUT),bin/chaos.json))"; mkdir -p "$$(dirname "$$CHAOS_OUT")"; export CHAOS_OUT; \
	go test -tags chaos -timeout 40m -count 1 -v -run TestFaults ./e2e/chaos

quickfuzz: ## what strangers send, made up at random: two seconds of each fuzzer
	.ci/fuzz 2s

fuzz: ## the same at length (FUZZTIME=3m each), and the management API against its document (FUZZ=300 calls an operation)
	.ci/need cc postgres python
	IDP_FUZZ_COVERAGE=1 .ci/fuzz $(or $(FUZZTIME),3m)
	IDP_FUZZ=$(or $(FUZZ),300) go test -timeout 60m -count 1 -run TestManagementAPIKeepsToItsDocument -v ./e2e

bench: ## what sign-ins and the endpoints of apps cost, on SQLite and on Postgres
	.ci/need postgres
	go run ./bench
	go run ./bench -endpoints -duration 5s -warmup 1s

soak: ## half load on each engine for SOAK=30m: what grows fails (RATE=N sign-ins a second)
	.ci/need postgres
	go run ./bench -db $(or $(SOAK_DB),both) -soak $(or $(SOAK),30m) -rate $(or $(RATE),0)

profile: ## renews bench/idp.pgo, by which a release is compiled; its commit should hold nothing else
	.ci/need postgres
	go run ./bench -profile bench/idp.pgo -duration 60s

lint: ## golangci-lint and govulncheck
	go run $(GOLANGCI_LINT) run ./...
	.ci/vulncheck $(GOVULNCHECK)

alerts: ## the alert rules against made-up hours, by promtool, which takes minutes to build
	go run $(PROMTOOL) test rules deploy/prometheus/alerts_test.yaml

.PHONY: release reproducible

release: ## archives for each platform, lists of parts and checksums, in dist
	.ci/release

reproducible: ## shows that two builds in two folders give the same bytes
	.ci/reproducible

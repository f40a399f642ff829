# Errand. "make run" starts the server, "make test" runs the tests, "make help" lists all targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help

BIN := bin/errand
DIST := dist

# Build information, shown by "errand version". The date is the commit's, so that builds are reproducible.
VERSION ?= $(or $(shell git describe --tags --match 'v[0-9]*' --dirty 2>/dev/null | sed 's/^v//'),0.1.0-dev)
COMMIT ?= $(or $(shell git rev-parse HEAD 2>/dev/null),unknown)
DATE ?= $(or $(shell TZ=UTC0 git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd 2>/dev/null),1970-01-01T00:00:00Z)
LDFLAGS = -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT) -X main.date=$(DATE)

# Tools, each installed once per version.
TOOLS := $(CURDIR)/.cache/bin
GOLANGCI_VERSION := v2.8.0
LINT := $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION)
GOVULNCHECK_VERSION := v1.1.4
GOVULNCHECK := $(TOOLS)/govulncheck-$(GOVULNCHECK_VERSION)
CYCLONEDX_VERSION := v1.9.0
CYCLONEDX := $(TOOLS)/cyclonedx-gomod-$(CYCLONEDX_VERSION)

# The race detector. SQLite's own code, which is translated from C, is not instrumented: see RaceFlags in test/harness.
RACE := -race -gcflags=modernc.org/sqlite/lib=-race=false

.PHONY: help build run test e2e bench chaos fences fuzz generate migration verify lint fmt vulncheck release clean

help: ## lists the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

build: ## builds bin/errand
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/errand

run: build ## builds and serves on 127.0.0.1:8080
	./$(BIN) serve

test: ## runs all Go tests with -race, on SQLite and on a PostgreSQL that it starts
	go test $(RACE) -timeout 80m ./...
	cd test/ops && go test ./...

e2e: build ## runs real clients and a real browser against the binary
	./test/e2e/run

bench: ## prints the benchmark tables
	go run ./test/bench

chaos: ## injects random faults into three replicas and checks the result: make chaos seed=7 for=10m
	go run ./test/chaos $(if $(seed),-seed $(seed)) -for $(or $(for),3m)
	go run ./test/chaos $(if $(seed),-seed $(seed)) -failover -for 1m
	go run ./test/chaos $(if $(seed),-seed $(seed)) -sqlite -for 1m
	go run ./test/chaos -recovery 30

fences: ## removes each safety check in turn and expects the chaos test to fail
	go run ./test/chaos -mutants -for 20s

fuzz: ## runs every fuzz target in turn until the first finding: make fuzz for=5m
	@grep -rHoE --include='*_test.go' --exclude-dir=node_modules '^func Fuzz[[:alnum:]_]+' . | sed -E 's|/[^/]*:func | |' | sort | \
	while read -r package target; do \
		echo "$$package $$target"; \
		go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(or $(for),5m) "$$package" </dev/null || exit 1; \
	done

generate: ## regenerates the Ent and GraphQL code and the package map
	./ent/clean.sh
	rm -rf graph/generated graph/model/models_gen.go
	mkdir -p graph/generated graph/model
	go generate ./ent
	go generate ./graph ./internal/graphqlhttp/...
	go test -count=1 -run '^TestPackageMap' ./test/arch -update

migration: ## writes the next migration for both engines: make migration name=add_colour
	@test -n "$(name)" || { echo 'name is required: make migration name=add_colour'; exit 1; }
	go run ./migrations/plan $(name)

lint: $(LINT) ## runs the linters, and checks imports and names
	$(LINT) run ./...
	cd test/ops && go vet ./...
	go test -count=1 ./test/arch

fmt: $(LINT) ## formats the code
	$(LINT) fmt ./...

# govulncheck exits with 3 on a finding. Any other failure means that its online database was not reachable.
vulncheck: $(GOVULNCHECK) ## reports known vulnerabilities in reachable code
	@$(GOVULNCHECK) ./...; code=$$?; \
	[ $$code -ne 3 ] || exit 1; \
	[ $$code -eq 0 ] || echo 'known vulnerabilities: NOT checked, for the reason above'

verify: generate lint ## checks that generated code and migrations are up to date and lint is clean
	go run ./migrations/plan -check
	@stale=$$(git status --porcelain -- ent graph internal/graphqlhttp docs go.mod go.sum); \
	if [ -n "$$stale" ]; then echo 'generated code is stale; commit the output of "make generate":'; echo "$$stale"; exit 1; fi

release: $(CYCLONEDX) ## builds archives for all platforms and npm packages, with checksums and SBOMs: make release VERSION=0.1.0
	go run ./release -version '$(VERSION)' -date '$(DATE)' -ldflags '$(LDFLAGS)' -sbom $(CYCLONEDX) -out $(DIST)

clean: ## removes built files and installed tools
	rm -rf bin $(DIST) .cache

$(LINT):
	mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv $(TOOLS)/golangci-lint $@

$(GOVULNCHECK):
	mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) go install golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION)
	mv $(TOOLS)/govulncheck $@

$(CYCLONEDX):
	mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) go install github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@$(CYCLONEDX_VERSION)
	mv $(TOOLS)/cyclonedx-gomod $@

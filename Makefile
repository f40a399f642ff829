# Errand. "make run" serves; "make test" tests; the rest is for those who change it.
SHELL := /bin/bash
.DEFAULT_GOAL := help

GOLANGCI_VERSION := v2.8.0
TOOLS := $(CURDIR)/.cache/bin
LINT := $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION)
GOVULNCHECK_VERSION := v1.1.4
GOVULNCHECK := $(TOOLS)/govulncheck-$(GOVULNCHECK_VERSION)
BIN := bin/errand

.PHONY: help build run test e2e bench chaos fences fuzz generate migration verify lint fmt vulncheck clean

help: ## lists the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

build: ## builds bin/errand
	go build -trimpath -ldflags '-s -w' -o $(BIN) ./cmd/errand

run: build ## builds and serves on 127.0.0.1:8080
	./$(BIN) serve

test: ## the whole Go suite with -race, on SQLite and on a PostgreSQL that it starts itself
	go test -race -timeout 20m ./...

e2e: build ## real clients and a real browser against the real binary
	./test/e2e/run

bench: ## the benchmark tables
	go run ./test/bench

chaos: ## breaks three replicas at random for minutes and compares what is left: make chaos seed=7 for=10m
	go run ./test/chaos $(if $(seed),-seed $(seed)) -for $(or $(for),3m)

fences: ## shows that each fence matters: without it, a run of chaos fails
	go run ./test/chaos -mutants -for 20s

fuzz: ## fuzzes every target in turn and stops at the first finding: make fuzz for=5m
	@grep -rHoE --include='*_test.go' --exclude-dir=node_modules '^func Fuzz[[:alnum:]_]+' . | sed -E 's|/[^/]*:func | |' | sort | \
	while read -r package target; do \
		echo "$$package $$target"; \
		go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(or $(for),5m) "$$package" </dev/null || exit 1; \
	done

generate: ## generates the Ent and GraphQL code from nothing
	./ent/clean.sh
	rm -rf graph/generated graph/model/models_gen.go
	mkdir -p graph/generated graph/model
	go generate ./ent
	go generate ./graph

migration: ## plans a migration for both engines: make migration name=add_colour
	@test -n "$(name)" || { echo 'name it: make migration name=add_colour'; exit 1; }
	go run ./migrations/plan $(name)

$(LINT):
	mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv $(TOOLS)/golangci-lint $@

lint: $(LINT) ## runs the linters, import rules among them
	$(LINT) run ./...

fmt: $(LINT) ## formats the code
	$(LINT) fmt ./...

$(GOVULNCHECK):
	mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) go install golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION)
	mv $(TOOLS)/govulncheck $@

# Exit code 3 is a finding. Without one the check may still not have been made: its database is on the network.
vulncheck: $(GOVULNCHECK) ## looks for known vulnerabilities whose code is reached
	@$(GOVULNCHECK) ./...; code=$$?; \
	[ $$code -ne 3 ] || exit 1; \
	[ $$code -eq 0 ] || echo 'known vulnerabilities: NOT checked, for the reason above'

verify: generate lint ## generated code and migrations are up to date, lint is clean
	go run ./migrations/plan -check
	@stale=$$(git status --porcelain -- ent graph go.mod go.sum); \
	if [ -n "$$stale" ]; then echo "generated code is stale; commit what make generate made:"; echo "$$stale"; exit 1; fi

clean: ## removes what was built
	rm -rf bin .cache

# Fleetwarden. Everything here runs on one machine with no cloud account, except
# "make deploy".

# The functions, without the prefix of their names in Function Compute; a folder has the
# name without its dashes.
FUNCTIONS := $(sort $(basename $(notdir $(wildcard deploy/ram/*.json))))
GOOS      ?= $(shell go env GOOS)
GOARCH    ?= $(shell go env GOARCH)
TIMEOUT   ?= 20m
PORT      ?= 4571
LINT      := go tool -modfile=test/tools/go.mod

# One way to build for all targets: a package is compiled once for the tests, the functions,
# which need no C library, and the tools. Only the race detector needs its own.
export CGO_ENABLED := 0
export GOFLAGS     := $(filter-out -trimpath,$(shell go env GOFLAGS)) -trimpath -gcflags=all=-dwarf=false

.PHONY: help fleetwarden rollout demo test race chaos bench local lint verify fuzz build package deploy remove deploy-tools deploy-state deploy-check clean

help: ## these targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

build: ## the function binaries for this machine, in dist/
	@GOOS=$(GOOS) GOARCH=$(GOARCH) go build -ldflags='-s -w' -o dist/.built/ $(addprefix ./functions/,$(subst -,,$(FUNCTIONS)))
	@for f in $(FUNCTIONS); do mkdir -p dist/$$f && ln -f dist/.built/$$(echo $$f | tr -d -) dist/$$f/main || exit 1; done

fleetwarden: ## the operator's tool for this machine, dist/fleetwarden
	@go build -ldflags='-s -w' -o dist/fleetwarden ./deploy/fleetwarden

rollout: ## the last step of a deployment, dist/rollout, which the local cloud is deployed with too
	@go build -ldflags='-s -w' -o dist/rollout ./deploy/rollout

demo: build fleetwarden rollout ## launches, judged and repaired on the local cloud; writes out/demo
	@go run ./deploy/local/demo -out out/demo

# The race detector needs a second build of everything, which takes as long as all tests:
# "make verify" has it, and the linters, of which "go vet" says more than "go test" would.
# The scenarios take longest, and begin first.
test: build fleetwarden rollout ## all tests
	FLEETWARDEN_BIN='$(CURDIR)/dist' go test -vet=off -timeout $(TIMEOUT) -parallel 4 ./test/scenario ./...
	cd test/tools && go test -vet=off -count=1 ./... # they read files of this module, of which their cache knows nothing

race: ## the tests within one process, with the race detector
	CGO_ENABLED=1 go test -race -timeout $(TIMEOUT) $$(go list ./... | grep -vE '/test/(scenario|chaos)')

local: build fleetwarden rollout ## the local cloud with s.yaml on it, in the foreground, at 127.0.0.1:$(PORT); GRANT=a,b grants files of deploy/ram/optional
	@go run ./deploy/local --port $(PORT) --bin dist --grant "$(GRANT)"

lint: ## linters, from a module of their own
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "gofmt would change:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	@for os in darwin windows; do GOOS=$$os go vet ./deploy/fleetwarden || exit 1; done # where operators work
	$(LINT) staticcheck ./...

verify: lint race test ## all that can be checked on one machine; fails if it leaves a diff
	go mod tidy -diff
	go mod verify
	cd test/bench && go mod tidy -diff && go vet ./... && go test ./...
	cd test/tools/preview && go mod tidy -diff && go vet ./... && go test -count=1 -v .
	@git diff --exit-code && test -z "$$(git status --porcelain)" || { echo "the tree is not clean"; exit 1; }

TIME ?= 30s
# Under load, go's fuzzer may fail by its own deadline, with nothing found: told, and not
# taken for a finding.
fuzz: ## every fuzz target for TIME each (default 30s)
	@go list -f '{{.Dir}}' ./... | while read d; do \
	  for t in $$(grep -hoE '^func (Fuzz[A-Za-z0-9_]+)' $$d/*_test.go 2>/dev/null | awk '{print $$2}'); do \
	    echo "$$t in $${d#$(CURDIR)/}"; \
	    out=$$(cd $$d && go test -run '^$$' -fuzz "^$$t\$$" -fuzztime $(TIME) -fuzzminimizetime 20x . 2>&1) && echo "$$out" | tail -n 2 && continue; \
	    case "$$out" in \
	      *"Failing input"*) echo "$$out"; exit 1;; \
	      *"context deadline exceeded"*) echo "  the fuzzer missed its own deadline; it had found nothing";; \
	      *) echo "$$out"; exit 1;; \
	    esac; \
	  done || exit 1; done

MINUTES ?= $(if $(PLANTED),10,1)
CHAOS   := go run ./test/chaos -time $(MINUTES)m
chaos: ## random histories for MINUTES; SEED=n or HISTORY=file repeats one; PLANTED=1 hunts planted bugs (ONLY=name), MINUTES each
	@$(CHAOS) $(if $(SEED),-seed $(SEED)) $(if $(HISTORY),-history $(HISTORY)) $(if $(PLANTED),-planted) $(if $(ONLY),-only $(ONLY))

bench: ## what it costs, beside its peers; writes out/bench (STRICT=1: fails on a missed goal)
	@cd test/bench && go run . -root ../.. -out ../../out/bench $(if $(STRICT),-strict)

POLICY ?= deploy/policy.yaml
package: ## zips for Function Compute with the policy file POLICY in them, in dist/
	@$(MAKE) --no-print-directory build GOOS=linux GOARCH=amd64
	@go run ./deploy/pack -policy '$(POLICY)' -dist dist $(FUNCTIONS)

HOME_REGION ?= cn-hangzhou
REGION      ?= $(HOME_REGION)
TERRAFORM   := terraform -chdir=deploy/terraform
DEPLOYMENT  ?= main
ACCESS      := $${S_ACCESS:-default}
HERE        := REGION='$(REGION)' HOME_REGION='$(HOME_REGION)' FLEETWARDEN_DEPLOYMENT='$(DEPLOYMENT)'
VARIABLES   := -var region='$(REGION)' -var home_region='$(HOME_REGION)' -var deployment='$(DEPLOYMENT)' -var policy='$(abspath $(POLICY))'
ROLLOUT     := $(HERE) go run ./deploy/rollout
deploy: deploy-tools ## Terraform, then "s deploy", into REGION; the home region, HOME_REGION, first; what stands then is read back
	@$(MAKE) --no-print-directory package
	@mkdir -p out
	@$(HERE) s preview -a "$(ACCESS)" --silent -o yaml > out/rendered.yaml
	$(ROLLOUT) prepare -rendered out/rendered.yaml
	@$(MAKE) --no-print-directory deploy-state
	$(TERRAFORM) workspace select -or-create '$(REGION)'
	account=$$($(ROLLOUT) account) && $(TERRAFORM) apply $(VARIABLES) -var functions_account="$$account"
	environment=$$($(TERRAFORM) output -raw environment) && eval "$$environment" && s deploy -a "$(ACCESS)" --assume-yes && \
	  go run ./deploy/rollout confirm -build "$$(git describe --always --dirty --tags)"

# The functions of home and the ledger stay where another region is removed; the ledger's
# bucket and its settings stay in any case, and leave Terraform's state first.
# "s" ends with 0 also where it removed nothing: the functions are looked for afterwards.
remove: deploy-tools ## takes away what "make deploy" made in REGION; the ledger's bucket is kept
	@test '$(origin REGION)' != file || { echo "make remove needs REGION=…; the home region, which the others need, goes last" >&2; exit 1; }
	@mkdir -p out
	@$(HERE) s preview -a "$(ACCESS)" --silent -o yaml > out/rendered.yaml
	names=$$($(ROLLOUT) names -rendered out/rendered.yaml) && for name in $$names; do $(HERE) s $$name remove -a "$(ACCESS)" --assume-yes || exit 1; done
	$(ROLLOUT) removed
	@$(MAKE) --no-print-directory deploy-state
	$(TERRAFORM) workspace select '$(REGION)'
	@$(TERRAFORM) state list | grep '^alicloud_oss_bucket' | while read -r kept; do $(TERRAFORM) state rm "$$kept" || exit 1; done
	account=$$($(ROLLOUT) account) && $(TERRAFORM) destroy $(VARIABLES) -var functions_account="$$account"

deploy-tools:
	@for tool in terraform s; do command -v $$tool >/dev/null || { echo "make $(MAKECMDGOALS) needs $$tool, which is not on the PATH; see deploy/terraform/README.md" >&2; exit 1; }; done

# The state is in OSS where state.tfbackend names a bucket, else on this machine alone.
deploy-state:
	@if test -f deploy/terraform/state.tfbackend; then \
	  rm -f deploy/terraform/backend_override.tf; $(TERRAFORM) init -input=false -backend-config=state.tfbackend; \
	else \
	  echo "Terraform's state is kept in deploy/terraform, on this machine alone; deploy/terraform/README.md says how to keep it in OSS."; \
	  printf 'terraform {\n  backend "local" {}\n}\n' > deploy/terraform/backend_override.tf; $(TERRAFORM) init -input=false; \
	fi

# "make test" reads the configuration without these tools; this has them look as well.
deploy-check: ## the tools of "make deploy" on what it deploys; needs npm, Terraform and its provider
	cd test/tools/preview && go test -count=1 -v .
	@command -v terraform >/dev/null || { echo "make deploy-check needs terraform, which is not on the PATH; see deploy/terraform/README.md" >&2; exit 1; }
	terraform fmt -check -recursive deploy
	@for root in terraform terraform/member terraform/memberevents guard; do \
	  echo "deploy/$$root" && terraform -chdir=deploy/$$root init -backend=false -input=false >/dev/null && terraform -chdir=deploy/$$root validate || exit 1; \
	done
	TF_WORKSPACE=cn-hangzhou $(TERRAFORM) test -filter=tests/home.tftest.hcl
	TF_WORKSPACE=cn-shanghai $(TERRAFORM) test -filter=tests/region.tftest.hcl

clean: ## what was built and written
	rm -rf dist out

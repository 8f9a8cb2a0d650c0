# What there is to make; `nextflow run .` needs none of it. Everything installed goes into a cache outside of this
# folder (scripts/install.sh says where), and from there a second time takes a second.
SHELL = /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test test-stage testbed lint env images push version clean clean-cache requirements

OUTDIR = results
# More for nextflow (make demo), pytest (make test, make test-stage) or uv (make requirements)
ARGS =
# The stage whose tests run (make test-stage)
STAGE =
# A Nextflow for the pipeline tests (make test), in place of the one on PATH
NEXTFLOW =

VERSION := $(shell sed -n "s/^ *version *= *'\(.*\)'.*/\1/p" nextflow.config)
INSTALLED = lines=$$(scripts/install.sh --isolated) && eval "$$lines"

help: ## show this
	@echo "Binloom $(VERSION)"
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | sed 's/\$$\$$/$$/' | while IFS=$$'\t' read -r name text; do \
		printf '  make %-13s %s\n' "$$name" "$$text"; done

demo: ## install what is missing and run the pipeline on the bundled data [OUTDIR=results]
	@$(INSTALLED) && nextflow run . -profile test --outdir '$(OUTDIR)' $(ARGS)
	@echo
	@echo 'Where to look:'
	@echo '  $(OUTDIR)/report.html                      what was found, and how'
	@echo '  $(OUTDIR)/summary.tsv                      one row per group'
	@echo '  $(OUTDIR)/<group>/bins.tsv, bins/*.fa.gz   the bins, and their sequences'
	@echo '  $(OUTDIR)/<group>/contig2bin.tsv           each contig and its bins; unbinned.tsv has the others, and why'
	@echo '  $(OUTDIR)/pipeline_info/                   time and memory per task, software versions'

test: ## install what is missing and run every test [ARGS='-k name'] [NEXTFLOW=program]
	@$(INSTALLED) || exit 1; failed=0; \
	if type -P nf-test >/dev/null; then nf-test test || failed=1; \
	else echo 'nf-test is not on PATH: its tests are skipped (it has an installer of its own: see its home page)'; fi; \
	BINLOOM_NEXTFLOW='$(NEXTFLOW)' python3 -m pytest tests -n 2 --dist loadfile --no-loadscope-reorder -rs $(ARGS) || failed=1; \
	exit $$failed

test-stage: ## install what is missing and run the tests of one stage and of the modules it imports: STAGE=refine
	@$(INSTALLED) && tests=$$(scripts/stage_modules.py --tests '$(STAGE)') || exit 1; failed=0; \
	if type -P nf-test >/dev/null; then nf-test test 'modules/local/$(STAGE)/tests/main.nf.test' || failed=1; \
	else echo 'nf-test is not on PATH: the test of the process is skipped'; fi; \
	if [[ -n $$tests ]]; then python3 -m pytest $$tests $(ARGS) || failed=1; fi; \
	exit $$failed

testbed: ## install what only some tests need: podman, SLURM, Chromium and BLAST+ (Debian or Ubuntu, as root)
	@scripts/testbed.sh

lint: ## install what is missing and check the Python code (ruff)
	@$(INSTALLED) && ruff check && ruff format --check

env: ## install what is missing and print what to eval for a nextflow of your own: eval "$$(make -s env)"
	@scripts/install.sh

images: ## build the container images and print digests [ENGINE=docker|podman|buildah] [REGISTRY=localhost] [SIF=folder for .sif files]
	@VERSION='$(VERSION)' containers/build.sh

push: ## push the images to their registry and print digests [REGISTRY=name]
	@VERSION='$(VERSION)' containers/build.sh push

version: ## print the version, which is the tag of the images
	@echo '$(VERSION)'

clean: ## remove work/, logs and test leftovers; results stay
	rm -rf work .nextflow .nextflow.log* .nf-test .nf-test.log .pytest_cache .hypothesis
	find bin tests -name __pycache__ -prune -exec rm -rf {} +

clean-cache: ## remove what was installed into the cache
	@scripts/install.sh --clean

requirements: ## pin the Python packages anew in every requirements.txt [ARGS=--upgrade]
	@$(INSTALLED) && scripts/requirements.sh $(ARGS)

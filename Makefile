# jemctx: PostgreSQL's memory on jemalloc arenas
#
#   make && make install      build and install
#   make help                 show this
#   make demo                 see it at work in a throwaway server
#   make test                 install what is missing, build, run all tests
#   make test-majors          run all suites with PostgreSQL 16 to 19; MAJORS="17 18": with those
#   make test-packages        build Debian packages, install them in a fresh tree; MAJORS="17 18": of those
#   make test-pgxn            have pgxn build, install and test the zip of "make dist"
#   make dist                 make the zip for PGXN, of what is committed
#   make libraries LIMITS=64  meet limits of memory in the middle of libraries
#   make reference            write docs/reference.md anew, from the extension's comments
#   make style                see whether the house is as src/README.md says
#   make lint                 look for mistakes without running anything
#   make kill ROUNDS=500      kill processes of a server under load
#   make refusals             refuse every allocation of statements, one by one; CASE=name: of those
#   make interrupts           send all interrupts to backends in all states, beside stock
#   make mutate COUNT=100     change the sources, and see whether tests notice
#   make fuzz SECONDS=60      fuzz it, with sanitizers; REPLAY=file: carry out an input
#   make bench                measure against a stock server, under an hour; REPORT=dir: the report goes there
#   make bench-quick          the same in some minutes, from fewer rounds

EXTENSION = jemctx
DATA = jemctx--1.1.sql jemctx--1.0--1.1.sql jemctx--1.0.sql \
	monitoring/jemctx_exporter.yaml monitoring/jemctx_dashboard.json monitoring/jemctx_fleet.sql
SCRIPTS = monitoring/jemctx_flamegraph
HEADERS_jemctx = jemctx.h
MODULE_big = jemctx

# From the ground up: a room uses itself and those before it.
ROOMS = compat jemalloc shared server arena context keeper namespace policy views
OBJS = jemctx.o $(patsubst %.c,%.o,$(wildcard $(ROOMS:%=src/%/*.c)))

# PostgreSQL 15 does not mark what a module exports; we do, and hide the rest.
PG_CPPFLAGS = -iquote $(srcdir) -iquote $(srcdir)/src \
	-D'PGDLLEXPORT=__attribute__((visibility("default")))'
PG_CFLAGS = -Wall -Wextra -Werror -Wno-unused-parameter -Wno-sign-compare \
	-Wno-missing-field-initializers -fvisibility=hidden
SHLIB_LINK = -ldl

PG_CONFIG ?= pg_config

# A server that checks the memory of its own contexts wants ours to.
ifneq ($(shell grep '^.define USE_ASSERT_CHECKING 1' \
	"$$($(PG_CONFIG) --includedir-server)/pg_config.h" 2>/dev/null),)
CHECKING = 1
endif

# Builds for tests: with checks in memory contexts, and with what valgrind's
# memcheck is told in addition.  For a sanitizer use COPT, as for PostgreSQL:
# make CHECKING=1 COPT=-fsanitize=address.  "make clean" between builds.
ifneq ($(CHECKING)$(VALGRIND),)
PG_CPPFLAGS += -DJEMCTX_CHECKING
endif
ifneq ($(VALGRIND),)
PG_CPPFLAGS += -DJEMCTX_VALGRIND
endif

# info creates the extensions, install drops and recreates ours
REGRESS = info arenas bins contexts transient persistent torture cache purge \
	stats settings privileges errors refusals example \
	namespaces namespace_limits namespace_mistakes namespace_context dictionary install
REGRESS_OPTS = --temp-instance=./tmp_check --temp-config=test/regress.conf
EXTRA_CLEAN = tmp_check log

# Bitcode for the JIT compiler would need the server's own version of clang,
# and no function of ours is worth inlining into a query.
override with_llvm := no

.DEFAULT_GOAL := all
.PHONY: help demo test test-majors test-packages test-pgxn dist libraries reference style lint kill interrupts \
	refusals mutate fuzz bench bench-quick regress-tests

help:
	@sed -n 's/^#   //p' $(firstword $(MAKEFILE_LIST))

demo:
	@test/demo

test:
	@test/run

test-majors:
	@test/majors "$(or $(MAJORS),16 17 18 19)" $(TESTS)

test-packages:
	@test/packages $(MAJORS)

test-pgxn:
	@test/pgxn

# As PGXN wants it: one directory, with the version's name.
DISTVERSION = $(shell sed -n 's/^  "version": "\(.*\)",$$/\1/p' META.json)
dist:
	git archive --format=zip --prefix=$(EXTENSION)-$(DISTVERSION)/ \
		-o $(or $(DIST),.)/$(EXTENSION)-$(DISTVERSION).zip HEAD

libraries:
	@test/libraries $(LIMITS)

reference:
	@test/reference

style:
	@test/style

lint:
	@test/setup lint
	@test/lint

kill:
	@test/kill $(ROUNDS) $(SEED)

refusals:
	@REFUSALS_STRIDE=1 REFUSALS_CASE='$(CASE)' LIMIT=7200 test/run 074_refusals 076_refusals_sessions

interrupts:
	@INTERRUPTS=all LIMIT=7200 test/run 071_interrupts

mutate:
	@test/setup test
	@test/mutate $(COUNT:%=--count=%) $(SEED:%=--seed=%) $(JOBS:%=--jobs=%)

fuzz:
	@test/fuzz/run $(or $(REPLAY),$(SECONDS),60)

bench:
	@test/setup bench
	@test/bench/all $(REPORT)

bench-quick:
	@test/setup bench
	@test/bench/all --quick $(REPORT)

regress-tests:
	@echo $(REGRESS)

PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifneq ($(wildcard $(PGXS)),)
include $(PGXS)

# PGXS installs a program without its directory, and would remove it with that.
uninstall: uninstall-programs
.PHONY: uninstall-programs
uninstall-programs:
	rm -f $(addprefix '$(DESTDIR)$(bindir)'/, $(notdir $(SCRIPTS)))

# PGXS has no header dependencies.
$(OBJS): $(wildcard $(srcdir)/*.h $(srcdir)/src/*/*.h) $(firstword $(MAKEFILE_LIST))
else
all install installcheck:
	@echo "The headers of the PostgreSQL server are missing: apt-get install postgresql-server-dev-all" >&2
	@echo "(or set PG_CONFIG to the pg_config of a server that has them)." >&2
	@exit 1
endif

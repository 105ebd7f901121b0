# jemctx: PostgreSQL's memory on jemalloc arenas
#
#   make && make install      build and install for the pg_config in the path
#   make demo                 see it at work in a throwaway server
#   make test                 install what is missing, build, run all tests
#   make bench                measure against a stock server

EXTENSION = jemctx
DATA = jemctx--1.0.sql
HEADERS_jemctx = jemctx.h
MODULE_big = jemctx

ROOMS = jemalloc arena context views
OBJS = jemctx.o $(patsubst %.c,%.o,$(wildcard $(ROOMS:%=src/%/*.c)))

# PostgreSQL 15 does not mark what a module exports; we do, and hide the rest.
PG_CPPFLAGS = -iquote $(srcdir) -iquote $(srcdir)/src \
	-D'PGDLLEXPORT=__attribute__((visibility("default")))'
PG_CFLAGS = -Wall -Wextra -Werror -Wno-unused-parameter -Wno-sign-compare \
	-Wno-missing-field-initializers -fvisibility=hidden
SHLIB_LINK = -ldl

# Bitcode for the JIT compiler would need the server's own version of clang,
# and no function of ours is worth inlining into a query.
override with_llvm := no

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# PGXS has no header dependencies.
$(OBJS): $(wildcard $(srcdir)/*.h $(srcdir)/src/*/*.h) $(firstword $(MAKEFILE_LIST))

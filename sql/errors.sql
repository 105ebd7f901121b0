-- What cannot be done is said clearly.
SELECT jemctx_profile_start();
SELECT jemctx_profile_dump();
SET jemctx.jemalloc_library = 'libc.so.6';
SET jemctx.process_malloc = system;
SET jemctx.cache_contexts = off;
SET jemctx.profile = on;
SET jemctx.dirty_decay = -2;
SET jemctx.nonsense = 1;
LOAD 'jemctx';

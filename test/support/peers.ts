import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { findDockerd } from './docker/engine.ts';
import { findBusybox } from './docker/image.ts';
import { writeAll } from './write-all.ts';

/** Real programs that suites need beyond Node. */
export type Peer = 'docker' | 'fluentd' | 'go' | 'python' | 'openssl' | 'promtool' | 'chromium';

const FLUENT_GO_DIR = '/usr/share/gocode/src/github.com/fluent/fluent-logger-golang';
/** Debian's own interpreter: another one in PATH does not see Debian's modules. */
export const DEBIAN_PYTHON = '/usr/bin/python3';

/** Debian's. */
export const CHROMIUM = '/usr/bin/chromium';

/** Why the peer can't be used here; undefined if it can. */
const MISSING: Record<Peer, () => string | undefined> = {
  docker() {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux';
    if (!mayMount()) return 'needs the capability CAP_SYS_ADMIN';
    if (findDockerd() === undefined) return "no dockerd (Debian's docker.io)";
    if (findBusybox() === undefined) return "no static busybox (Debian's busybox-static)";
    return undefined;
  },
  fluentd: () => (runs('fluentd', ['--version']) ? undefined : 'no fluentd (the gem)'),
  go() {
    if (!runs('go', ['version'])) return "no Go compiler (Debian's golang-go)";
    if (existsSync(FLUENT_GO_DIR)) return undefined;
    return `no ${FLUENT_GO_DIR} (Debian's golang-github-fluent-fluent-logger-golang-dev)`;
  },
  python() {
    const found = runs(DEBIAN_PYTHON, ['-c', 'import fluent.sender']);
    return found ? undefined : "no Python module fluent (Debian's python3-fluent-logger)";
  },
  openssl: () => (runs('openssl', ['version']) ? undefined : 'no openssl'),
  promtool: () =>
    runs('promtool', ['--version']) ? undefined : "no promtool (Debian's prometheus)",
  chromium: () => (existsSync(CHROMIUM) ? undefined : `no ${CHROMIUM} (Debian's chromium)`),
};

/**
 * True if one of the peers can't be used here: for `describe.skipIf(lacksPeer('docker'))`.
 * Says plainly what is skipped and why. With LOGBOOM_REQUIRE_PEERS=1 (CI) nothing may be
 * skipped, and it throws instead.
 */
export function lacksPeer(...peers: Peer[]): boolean {
  const reasons = peers.flatMap((peer) => {
    const reason = MISSING[peer]();
    return reason === undefined ? [] : [`${peer}: ${reason}`];
  });
  if (reasons.length === 0) return false;
  const message = `without ${reasons.join('; ')}`;
  if (process.env['LOGBOOM_REQUIRE_PEERS'] === '1') {
    throw new Error(`LOGBOOM_REQUIRE_PEERS=1, but this suite would be skipped: ${message}`);
  }
  writeAll(2, `skipped, ${message}\n`);
  return true;
}

function runs(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

function mayMount(): boolean {
  const CAP_SYS_ADMIN = 21n;
  const [, mask] = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return mask !== undefined && (BigInt(`0x${mask}`) >> CAP_SYS_ADMIN) % 2n === 1n;
}

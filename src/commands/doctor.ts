import { access } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import type { Config } from '../config/types.ts';
import { parseDuration } from '../config/units.ts';
import { LogboomError, messageOf } from '../errors.ts';
import { findContainers } from '../inputs/docker/registry/find-containers.ts';
import { RelayAddresses } from '../inputs/docker/relay-addresses.ts';
import { diagnose, hasTrouble } from '../status/doctor/diagnose.ts';
import type { DoctorFacts } from '../status/doctor/facts.ts';
import { reportText } from '../status/doctor/report.ts';
import { systemClock } from '../sys/clock.ts';
import type { ConfigOptions } from './config-options.ts';
import { type FoundContainers, lookAtContainers } from './doctor/containers.ts';
import { engineVersion, lookAtJournal, lookAtRelay, readDefaults } from './doctor/surroundings.ts';
import { renderFailure } from './failure.ts';
import { EXIT, type ExitCode, type Host } from './host.ts';
import { loadConfig } from './load-config.ts';

export interface DoctorOptions extends ConfigOptions {
  readonly config?: string;
  readonly outage: string;
  readonly daemonJson: string;
  readonly json?: boolean;
}

/** Where Docker's data is when nobody says otherwise. */
const USUAL_ROOT = '/var/lib/docker';

const NO_DOCKER = `logboom: no containers were looked at: there is no ${USUAL_ROOT}.
  In a container, mount the folder into it; --docker names another.
`;

/** What could not be looked at; for a person. */
type Unseen = string[];

/**
 * `logboom doctor`: says what can lose lines here, and what to do about it. Code 0: nothing;
 * 1: something can; 2: it could not be looked at in full.
 *
 * @throws LB_CONFIG, LB_USAGE
 */
export async function doctor(host: Host, options: DoctorOptions): Promise<ExitCode> {
  const outage = parseDuration(options.outage);
  if (!outage.ok || outage.value === 0) {
    throw new LogboomError('LB_USAGE', `--outage ${options.outage}: it is not a duration`, {
      hint: 'Use 10m or 2h.',
    });
  }
  const { config } = await loadConfig(host, options.config, options);
  const stopping = new AbortController();
  host.onStop(() => stopping.abort());
  const unseen: Unseen = [];
  const facts = await collect(config, options, outage.value, unseen, stopping.signal);
  const all = diagnose(facts);
  host.stdout.write(
    options.json === true
      ? `${JSON.stringify({ subjects: all, unseen }, null, 2)}\n`
      : reportText(all),
  );
  for (const each of unseen) host.stderr.write(each);
  if (config.docker.root === undefined && (await usualRoot()) === undefined) {
    host.stderr.write(NO_DOCKER);
  }
  if (unseen.length > 0) return EXIT.usage;
  return hasTrouble(all) ? EXIT.failure : EXIT.ok;
}

async function collect(
  config: Config,
  { daemonJson }: DoctorOptions,
  outage_ms: number,
  unseen: Unseen,
  signal: AbortSignal,
): Promise<DoctorFacts> {
  const interfaces = Object.values(networkInterfaces()).flatMap((all) =>
    (all ?? []).map(({ address }) => address),
  );
  const [version, defaults, relay, journal, found] = await Promise.all([
    lookAtEngine(config, unseen, signal),
    readDefaults(daemonJson),
    lookAtRelay(config, interfaces),
    lookAtJournal(config.journal),
    lookAtDocker(config, interfaces, unseen),
  ]);
  for (const each of found.unseen) unseen.push(`logboom: container ${each}\n`);
  return {
    now_ms: systemClock.now_ms(),
    outage_ms,
    engine: { version, defaults },
    relay,
    journal,
    containers: found.containers,
  };
}

async function lookAtEngine(
  { docker }: Config,
  unseen: Unseen,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (docker.api_socket === undefined) return undefined;
  try {
    return await engineVersion(docker.api_socket, signal);
  } catch (error) {
    unseen.push(renderFailure(error));
    return undefined;
  }
}

/** Without a configured folder the usual one is looked at, if it is there. */
async function lookAtDocker(
  { docker, inputs }: Config,
  interfaces: readonly string[],
  unseen: Unseen,
): Promise<FoundContainers> {
  const nothing: FoundContainers = { containers: [], unseen: [] };
  const root = docker.root ?? (await usualRoot());
  if (root === undefined) return nothing;
  const listeners = inputs.listeners.map(({ address }) => address);
  const addresses = new RelayAddresses({ given: docker.addresses, listeners, interfaces });
  try {
    const { directory } = await findContainers(root);
    return await lookAtContainers(directory, docker, addresses);
  } catch (error) {
    unseen.push(
      error instanceof LogboomError ? renderFailure(error) : `logboom: ${messageOf(error)}\n`,
    );
    return nothing;
  }
}

function usualRoot(): Promise<string | undefined> {
  return access(USUAL_ROOT).then(
    () => USUAL_ROOT,
    () => undefined,
  );
}

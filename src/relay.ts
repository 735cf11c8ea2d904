import type { Config } from './config/types.ts';
import { CHUNK_SPACE, ChunkDedup } from './inputs/forward/dedup.ts';
import type { StateSpace } from './journal/types.ts';
import { JournalDirectory } from './relay/journal-directory.ts';
import { LogInputs } from './relay/log-inputs.ts';
import { Observation } from './relay/observation.ts';
import {
  forwardServer,
  healthListener,
  listenersOf,
  openHandover,
  openJournal,
  type RelayDeps,
  takeOverFrom,
} from './relay/open-parts.ts';
import { OutputSet } from './relay/output-set.ts';
import { type Relay, RunningRelay } from './relay/running-relay.ts';
import { DropLedger } from './sys/ledger.ts';
import { Undo } from './sys/undo.ts';

export type { RelayDeps } from './relay/open-parts.ts';
export type { Relay } from './relay/running-relay.ts';

/**
 * The composition root: the path of a byte, top to bottom.
 *
 *     client ─► ForwardServer   bytes → frames → entries, one record per tag
 *                    │               │ a re-sent chunk (ChunkDedup) is acked and dropped
 *                    │               │ a container's line is compared with Docker's cache
 *     files ──► LogInputs       lines → the driver's events, with the place behind them
 *                    │
 *                    ▼
 *               Journal         commit: write + fdatasync ─────► ack to the client
 *                    │
 *                    ▼
 *               OutputSet       each output: reader → window → upstream → ack → cursor
 *                    │
 *                    └────────► segments behind every cursor are deleted
 *
 * Start order is upward (journal, outputs, listeners, files): a relay that cannot listen reads
 * no file, and clients are held, unread, until what Docker's caches hold of their streams is
 * in the journal. A takeover opens the listeners first, beside those of the relay that still
 * runs, until the journal is ours. Status and health have no successor beside them: they open
 * behind a takeover.
 */
export async function startRelay(config: Config, deps: RelayDeps): Promise<Relay> {
  const { log, clock } = deps;
  const ledger = new DropLedger();
  const dedup = new ChunkDedup(config.inputs.dedup);
  const log_inputs = new LogInputs(config, { clock, log: log.child({ part: 'logs' }) });
  const spaces = new Map<number, StateSpace>([[CHUNK_SPACE, dedup], ...log_inputs.spaces]);
  const listeners = listenersOf(config, deps);
  if (deps.takeover) await takeOverFrom(config, listeners, deps);
  const undo = new Undo();
  try {
    const directory = config.journal.dir;
    const found = await JournalDirectory.look(directory);
    undo.add(() => found.takeBack());
    undo.add(() => listeners.close());
    const observation = new Observation(config, deps);
    undo.add(() => observation.close());
    await found.sayFirst(observation.open());

    const journal = await openJournal(config, spaces, ledger, deps);
    undo.add(() => journal.close());

    const outputs = new OutputSet(config.outputs, { ...deps, journal, directory, ledger });
    undo.add(() => outputs.stop(0));
    await outputs.start(config.outputs, deps.drop_outputs);

    if (!deps.takeover) await listeners.openBeside([]);
    undo.add(() => log_inputs.stop());
    await log_inputs.start(journal);

    const health = healthListener(config, deps);
    undo.add(() => health?.close());
    await health?.open();
    const { filters } = log_inputs;
    const server = forwardServer(config, { listeners, journal, dedup, ledger, filters }, deps);
    await server.start();

    observation.begin({ journal, outputs, server, log_inputs, ledger });
    const handed_over = { server, outputs, journal, observation };
    const handover = await openHandover(config, handed_over, deps);
    const inputs = { server, log_inputs, health };
    const parts = { journal, outputs, ...inputs, observation, handover, ledger, log, clock };
    return new RunningRelay(config, parts);
  } catch (error) {
    await undo.run();
    throw error;
  }
}

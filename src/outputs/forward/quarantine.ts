import { messageOf } from '../../errors.ts';
import { CODEC } from '../../protocol/codec.ts';
import type { Chunk, Piece } from './chunk.ts';
import type { ForwardContext } from './context.ts';
import type { DeadLetterReason } from './dead-letter.ts';
import { halvePiece, inflatePiece, isDivisible } from './pieces.ts';
import { makeChunk } from './planner.ts';
import { inheritBlame, PoisonJudge } from './poison.ts';
import { prepareChunk } from './prepare.ts';
import type { Loss } from './upstream.ts';

/**
 * Carries out what the poison judge decides: sends suspects alone, splits them, sets them
 * aside, and puts into the dead letter what is convicted or too old.
 */
export class Quarantine {
  readonly #context: ForwardContext;
  readonly #judge: PoisonJudge;
  readonly #settled: () => void;
  readonly #work = new Set<Promise<void>>();

  /** `settled` is called when chunks were split or put away. */
  constructor(context: ForwardContext, settled: () => void) {
    this.#context = context;
    this.#judge = new PoisonJudge(context.options.retry.suspect_after_ms);
    this.#settled = settled;
  }

  /** Resolves when no chunk is being split or put away. */
  async idle(): Promise<void> {
    await Promise.all(this.#work);
  }

  acked(chunk: Chunk): void {
    this.#takeBack(this.#judge.acked(chunk));
  }

  /** There is nothing that could overtake a suspect: it is tried again as soon as the upstream is, unless others get through. */
  nothingElse(): void {
    for (const suspect of this.#judge.unproven()) this.#takeBack(suspect);
  }

  /** A connection broke: `lost` is what was in flight, in the order sent, and is pending again. */
  failed(lost: readonly Chunk[], loss: Loss): void {
    this.nothingElse();
    const [oldest] = lost;
    if (oldest === undefined) return;
    this.#context.window.isolate(oldest);
    // Without an ack on this connection, any of several may be at fault, or none.
    if (loss.acks_count > 0 || lost.length === 1) this.#blame(oldest, loss.error.describe());
  }

  /** `failing_since_ms`: since when nothing was acked, if the output fails. */
  tick(now_ms: number, failing_since_ms: number | undefined): void {
    for (const suspect of this.#judge.due(now_ms)) this.#takeBack(suspect);
    const { max_age_ms } = this.#context.options.retry;
    if (max_age_ms === undefined || failing_since_ms === undefined) return;
    if (now_ms - failing_since_ms < max_age_ms) return;
    this.#buryOlderThan(this.#context.clock.now_ms() - max_age_ms);
  }

  #takeBack(suspect: Chunk | undefined): void {
    if (suspect?.state === 'aside' && !suspect.held) this.#context.window.takeBack(suspect);
  }

  #blame(chunk: Chunk, error: string): void {
    const { window, clock } = this.#context;
    const verdict = this.#judge.blame(chunk, isSplittable(chunk), clock.monotonic_ms());
    if (verdict === 'split') this.#start(chunk, this.#split(chunk, error));
    else if (verdict === 'set_aside') window.setAside(chunk);
    else if (verdict === 'dead_letter') this.#start(chunk, this.#bury(chunk, 'poison', error));
  }

  /** Holds the chunk until `work` is done; failures of the disk were repeated inside, so only a stop ends it early. */
  #start(chunk: Chunk, work: Promise<void>): void {
    const { window, log, stopping } = this.#context;
    window.hold(chunk, true);
    const done = work
      .catch((error: unknown) => {
        if (!stopping.aborted)
          log.error(
            'quarantine',
            { error: messageOf(error) },
            'a chunk could not be split or put away',
          );
      })
      .finally(() => {
        window.hold(chunk, false);
        this.#work.delete(done);
        this.#settled();
      });
    this.#work.add(done);
  }

  async #split(chunk: Chunk, error: string): Promise<void> {
    const { window, saver, ids, counters, stopping } = this.#context;
    const halves = await halve(chunk.pieces);
    if (halves === undefined) {
      // It turned out to be one event when it was inflated.
      chunk.blames_count--;
      if (this.#judge.blame(chunk, false, this.#context.clock.monotonic_ms()) === 'set_aside')
        window.setAside(chunk);
      return;
    }
    const parts = halves.map((pieces) =>
      makeChunk(pieces, chunk.tag_key, attrsOf(pieces), chunk.rewrite, ids),
    );
    for (const part of parts) {
      part.wire = (await prepareChunk(part)).wire;
      inheritBlame(part);
    }
    const plan = () => ({
      end_seq: window.end_seq,
      chunks: window.unsettled().flatMap((other) => (other === chunk ? parts : [other])),
    });
    const apply = (): void => {
      if (chunk.state === 'pending') window.replace(chunk, parts);
    };
    await saver.change({ plan, apply }, stopping);
    counters.split_chunks++;
    // The upstream may hold the whole under its old id.
    counters.possibly_doubled += chunk.events;
    this.#context.log.warn(
      'split',
      { tag: chunk.tag.toString(), events: chunk.events, error },
      'a chunk that fails again and again is split',
    );
  }

  async #bury(chunk: Chunk, reason: DeadLetterReason, error: string): Promise<void> {
    const { window, dead_letters, ledger, options, retrier, stopping, log } = this.#context;
    window.setAside(chunk);
    const { pieces, events } = chunk;
    await retrier.run('the dead letter cannot be written', stopping, () =>
      dead_letters.append(pieces, reason, error),
    );
    this.#judge.forget(chunk);
    if (chunk.state === 'settled') return;
    window.giveUp(chunk);
    ledger.count('dead_letter', options.name, Math.max(1, events));
    log.error(
      'dead_letter',
      { tag: chunk.tag.toString(), events, reason, error },
      'events were put into the dead letter',
    );
  }

  #buryOlderThan(committed_before_ms: number): void {
    if (this.#work.size > 0) return;
    const { window, counters } = this.#context;
    for (const chunk of window.unsettled()) {
      if (chunk.state === 'pending' && !chunk.held && chunk.committed_ms <= committed_before_ms) {
        this.#start(
          chunk,
          this.#bury(chunk, 'max_age', counters.last_error ?? 'the upstream takes nothing'),
        );
      }
    }
  }
}

function isSplittable({ pieces, events }: Chunk): boolean {
  const [first] = pieces;
  if (first === undefined || !isDivisible(first)) return false;
  return events > 1 || pieces.length > 1 || first.codec !== CODEC.none;
}

/** Undefined when there is only one event. */
async function halve(pieces: readonly Piece[]): Promise<[Piece[], Piece[]] | undefined> {
  if (pieces.length > 1) {
    const middle = pieces.length >> 1;
    return [pieces.slice(0, middle), pieces.slice(middle)];
  }
  const [only] = pieces;
  if (only === undefined) return undefined;
  const halves = halvePiece(await inflatePiece(only));
  return halves === undefined ? undefined : [[halves[0]], [halves[1]]];
}

function attrsOf(pieces: readonly Piece[]): number {
  return pieces.reduce((attrs, piece) => attrs | piece.attrs, 0);
}

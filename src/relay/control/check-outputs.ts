import { LogboomError } from '../../errors.ts';
import type { Ready } from './messages.ts';

/** An output that is configured here. */
export interface OwnOutput {
  readonly name: string;
  readonly type: string;
  /** False: it has no use for a place in the journal. */
  readonly keeps_place: boolean;
}

/** What this process means to do with the places that the journal keeps. */
export interface PlaceUse {
  readonly outputs: readonly OwnOutput[];
  /** Names of outputs whose places are given up. */
  readonly dropped: readonly string[];
}

type Place = NonNullable<Ready['places']>[number];

/** It writes nothing down behind its place, so any output may go on there. */
const LEAVES_NOTHING = 'stdout';

/**
 * Whether this process could start its outputs in the other's journal: what would keep it
 * from that when it is too late to go back.
 *
 * @throws LB_CONFIG
 */
export function checkOutputs(ready: Pick<Ready, 'outputs' | 'places'>, use: PlaceUse): void {
  const places: readonly Place[] = ready.places ?? ready.outputs.map((name) => ({ name }));
  const unknown = use.dropped.find((dropped) => !places.some(({ name }) => name === dropped));
  if (unknown !== undefined) {
    throw new LogboomError('LB_CONFIG', `the journal keeps no place for an output ${unknown}`, {
      where: `--drop-output ${unknown}`,
      hint: `It keeps places for: ${places.map(({ name }) => name).join(', ') || 'none'}.`,
    });
  }
  // An older relay names all its outputs: one that keeps no place there may keep none here.
  const heirs = use.outputs.filter(({ keeps_place }) => keeps_place || ready.places === undefined);
  for (const place of places) checkPlace(place, heirs, use.dropped);
}

function checkPlace(
  { name, type }: Place,
  heirs: readonly OwnOutput[],
  dropped: readonly string[],
): void {
  const heir = heirs.find((output) => output.name === name);
  if (heir === undefined) {
    if (dropped.includes(name)) return;
    throw new LogboomError(
      'LB_CONFIG',
      `the running relay keeps a place for its output ${name}, and none of that name is to have it here`,
      {
        where: `outputs.${name}`,
        hint: `Put it back, or give its events up with --drop-output ${name}.`,
      },
    );
  }
  if (type === undefined || type === LEAVES_NOTHING || type === heir.type) return;
  throw new LogboomError(
    'LB_CONFIG',
    `the output ${name} of the running relay is of type ${type} and cannot become ${heir.type}`,
    {
      where: `outputs.${name}`,
      hint: `Give the new output another name; the place of the old one is then given up with --drop-output ${name}.`,
    },
  );
}

import { afterEach, beforeEach, expect, test } from 'vitest';
import { numbered } from '../../support/entries.ts';
import { ForwardSink } from '../../support/forward-sink.ts';
import { RecordSource } from '../../support/record-source.ts';
import { OutputUnderTest, optionsFor, serverOf } from './output-under-test.ts';

let sink: ForwardSink;

beforeEach(async () => {
  sink = await ForwardSink.listen();
});
afterEach(() => sink.stop());

test('what the journal passes over while the output starts is not sent', async () => {
  const journal = new RecordSource();
  for (let n = 0; n < 4; n++) journal.append({ body: numbered(n, 1) });
  const { output, drained } = underTest(journal);
  const started = output.start();
  journal.moveCursor(3);
  await started;
  await drained();
  await output.stop(1000);
  expect(sink.values('n', 'app')).toEqual([2, 3]);
});

test('a move after the output has stopped is its successor’s alone', async () => {
  const journal = new RecordSource();
  journal.append({ body: numbered(0, 1) });
  const { output, drained } = underTest(journal);
  await output.start();
  await drained();
  await output.stop(1000);
  const before = journal.saved.saves;
  journal.append({ body: numbered(1, 1) });
  journal.moveCursor(3);
  expect(output.stats().details['chunks_pending']).toBe(0);
  expect(journal.saved.saves).toBe(before);
});

function underTest(journal: RecordSource): {
  output: OutputUnderTest['output'];
  drained: () => Promise<void>;
} {
  const under_test = new OutputUnderTest(journal, optionsFor([serverOf(sink)]));
  return { output: under_test.output, drained: () => under_test.drained() };
}

/** The upstream: counts, acks, and notes when the last event came. */
import { createServer, type Socket } from 'node:net';
import { encode } from '@msgpack/msgpack';
import { ChunkCounter } from '../lib/chunk-counter.ts';
import { machineTime_ms } from '../lib/proc.ts';
import { Channel } from './channel.ts';

export interface SinkSettings {
  readonly port: number;
  /** forward: PackedForward, acked. bytes: anything, from something that looks at nothing. */
  readonly speaks: 'forward' | 'bytes';
}

type SinkCommand =
  /** Report as soon as so much has come since the start: events, or bytes. */
  | { readonly do: 'expect'; readonly count: number }
  /** Report how much has come. */
  | { readonly do: 'tell' };

type SinkReport =
  | { readonly did: 'listen' }
  | { readonly did: 'begin'; readonly at_ms: number }
  | { readonly did: 'tell'; readonly count: number }
  | {
      readonly did: 'reach';
      readonly count: number;
      readonly body_bytes: number;
      readonly chunks_count: number;
      readonly last_ms: number;
    };

export interface SinkProtocol {
  readonly settings: SinkSettings;
  readonly command: SinkCommand;
  readonly report: SinkReport;
}

const channel = new Channel<SinkProtocol>();
const { port, speaks } = channel.settings;
let expected_count = Number.POSITIVE_INFINITY;
let count = 0;
let body_bytes = 0;
let chunks_count = 0;
let last_ms = 0;

function noteProgress(): void {
  if (last_ms === 0) channel.report({ did: 'begin', at_ms: machineTime_ms() });
  last_ms = machineTime_ms();
  reportWhenReached();
}

function reportWhenReached(): void {
  if (count < expected_count) return;
  expected_count = Number.POSITIVE_INFINITY;
  channel.report({ did: 'reach', count, body_bytes, chunks_count, last_ms });
}

function readForward(socket: Socket): void {
  const counter = new ChunkCounter();
  socket.on('data', (piece: Buffer) => {
    counter.feed(piece, (chunk) => {
      count += chunk.events_count;
      body_bytes += chunk.body_bytes;
      chunks_count += 1;
      if (chunk.id !== undefined) socket.write(encode({ ack: chunk.id }));
      noteProgress();
    });
  });
}

function readBytes(socket: Socket): void {
  socket.on('data', (piece: Buffer) => {
    count += piece.length;
    noteProgress();
  });
}

const server = createServer((socket) => {
  socket.setNoDelay();
  socket.on('error', () => {});
  if (speaks === 'forward') readForward(socket);
  else readBytes(socket);
});
server.listen(port, '127.0.0.1', () => channel.report({ did: 'listen' }));

channel.serve(async (command) => {
  if (command.do === 'tell') return channel.report({ did: 'tell', count });
  expected_count = command.count;
  reportWhenReached();
});

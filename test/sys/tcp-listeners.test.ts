import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { compete, parseListeners, tcpListeners } from '../../src/sys/tcp-listeners.ts';

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid';
const TAIL = '00000000:00000000 00:00000000 00000000  1000        0 4242 1 0000 100 0 0 10 0';

describe("the kernel's table of TCP sockets", () => {
  test('shows who listens, and only those', () => {
    const table = [
      HEAD,
      `   0: 0100007F:5EA0 00000000:0000 0A ${TAIL}`,
      `   1: 0100007F:5EA0 0100007F:D431 01 ${TAIL}`,
      ` 120: 00000000:0016 00000000:0000 0A ${TAIL}`,
      '',
    ].join('\n');
    expect(parseListeners(table)).toEqual([
      { address: '127.0.0.1', port: 24224 },
      { address: '0.0.0.0', port: 22 },
    ]);
  });

  test('has IPv6 addresses in words of the machine', () => {
    const remote = '00000000000000000000000000000000:0000';
    const table = [
      `   0: 00000000000000000000000001000000:5EA0 ${remote} 0A ${TAIL}`,
      `   1: B80D0120000000000000000001000000:5EA0 ${remote} 0A ${TAIL}`,
    ].join('\n');
    expect(parseListeners(table).map(({ address }) => address)).toEqual([
      '0:0:0:0:0:0:0:1',
      '2001:db8:0:0:0:0:0:1',
    ]);
  });

  test.runIf(process.platform === 'linux')('has a server that listens here', async () => {
    const server = createServer().listen(0, '::1');
    await once(server, 'listening');
    const bound = server.address() as AddressInfo;
    expect(tcpListeners()?.filter((socket) => compete(socket, bound))).toHaveLength(1);
    server.close();
    await once(server, 'close');
    expect(tcpListeners()?.filter((socket) => compete(socket, bound))).toEqual([]);
  });
});

test.each([
  ['127.0.0.1', '127.0.0.1', true],
  ['127.0.0.1', '127.0.0.2', false],
  ['0.0.0.0', '127.0.0.2', true],
  ['127.0.0.1', '::', true],
  ['0:0:0:0:0:0:0:0', '127.0.0.1', true],
  ['0:0:0:0:0:0:0:1', '::1', true],
  ['0:0:0:0:0:0:0:1', '127.0.0.1', false],
  ['2001:db8:0:0:0:0:0:1', '2001:db8::2', false],
])('%s and %s on one port compete: %s', (one, other, expected) => {
  expect(compete({ address: one, port: 1 }, { address: other, port: 1 })).toBe(expected);
  expect(compete({ address: one, port: 1 }, { address: other, port: 2 })).toBe(false);
});

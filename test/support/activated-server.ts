/**
 * A Forward server in a process of its own, on the sockets that it was started with
 * from descriptor 3 on, as systemd passes them. Prints each tag that becomes durable;
 * ends with its stdin.
 */
import { inheritedSockets } from '../../src/inputs/forward/listen-address.ts';
import { startServer } from './forward-server.ts';

const env = { LISTEN_PID: String(process.pid), LISTEN_FDS: '1', LISTEN_FDNAMES: 'logs' };
const { server, journal, close } = await startServer({
  listeners: [{ address: { kind: 'systemd', name: 'logs' } }],
  deps: { inherited: inheritedSockets(env, process.pid) },
});
process.stdout.write(`${server.urls.join(' ')}\n`);
const printing = setInterval(() => {
  journal.commit();
  for (const { tag } of journal.records.splice(0)) process.stdout.write(`${tag}\n`);
}, 10);
process.stdin.resume();
process.stdin.once('end', () => {
  clearInterval(printing);
  void close().then(() => process.exit(0));
});

import { isIP } from 'node:net';
import { DEFAULT_DRIVER_ADDRESS, parseDriverAddress } from '../../../config/docker-address.ts';
import type { ContainerFacts, DoctorFacts } from '../facts.ts';
import type { Finding } from '../finding.ts';

const UNIX_FIX =
  'let logboom listen on a unix socket (--listen unix:///run/logboom.sock), which keeps its name whatever is swapped';
const UNIX_OPTS = { 'fluentd-address': 'unix:///run/logboom.sock' };

/** Where a container of the fluentd driver sends to, and whether that is still there after a swap. */
export function addressFindings(facts: ContainerFacts, context: DoctorFacts): Finding[] {
  const { log_driver, log_options } = facts.container;
  if (log_driver !== 'fluentd') return [];
  const text = log_options['fluentd-address'] || DEFAULT_DRIVER_ADDRESS;
  const address = parseDriverAddress(text);
  if (!address.ok) {
    return [
      {
        code: 'address-invalid',
        severity: 'error',
        what: `it sends to ${text}, which no version of Docker's driver can use`,
        why: 'the container fails when it is started',
        fix: UNIX_FIX,
        log_opts: UNIX_OPTS,
      },
    ];
  }
  if (address.value.kind === 'unix') return elsewhere(facts, text);
  const { host } = address.value;
  if (host.includes(':')) {
    return [
      {
        code: 'address-ipv6',
        severity: 'error',
        what: `it sends to ${text}`,
        why: "Docker's driver cannot connect to an IPv6 address",
        fix: UNIX_FIX,
        log_opts: UNIX_OPTS,
      },
    ];
  }
  if (isIP(host) === 0 && host !== 'localhost') {
    return [
      {
        code: 'address-host-name',
        severity: 'warning',
        what: `it sends to the host name ${host}`,
        why: "dockerd looks names up as the host does: a container's name means nothing there, and another host's name may lead elsewhere after a swap",
        fix: `${UNIX_FIX}; or publish a fixed port on 127.0.0.1`,
        log_opts: UNIX_OPTS,
      },
    ];
  }
  if (isContainerAddress(host) && !context.relay.interfaces.includes(host)) {
    return [
      {
        code: 'address-container-ip',
        severity: 'warning',
        what: `it sends to ${host}, which looks like the address of a container`,
        why: 'a container that is swapped may get another address, and the driver keeps trying this one',
        fix: `${UNIX_FIX}; or publish a fixed port on 127.0.0.1`,
        log_opts: UNIX_OPTS,
      },
    ];
  }
  return elsewhere(facts, text);
}

function elsewhere({ sends_here }: ContainerFacts, address: string): Finding[] {
  if (sends_here) return [];
  return [
    {
      code: 'sends-elsewhere',
      severity: 'note',
      what: `it sends to ${address}, where this relay does not listen`,
      why: 'its lines are not this relay’s concern, unless that address leads here in a way that cannot be seen',
      fix: 'if it leads here, name it in docker.addresses',
    },
  ];
}

/** Docker's own networks: 172.17.0.0/12 and 192.168.0.0/16 in pieces. */
function isContainerAddress(host: string): boolean {
  const [a = 0, b = 0] = host.split('.').map(Number);
  return (a === 172 && b >= 17 && b <= 31) || (a === 192 && b === 168);
}

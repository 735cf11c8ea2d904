import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { LogboomError, messageOf } from '../../errors.ts';

/** fluentd reads no more of a heartbeat; larger datagrams are none. */
const DATAGRAM_MAX_BYTES = 128;
const ANSWER = Buffer.of(0);

/**
 * Answers fluentd's `heartbeat_type udp` (formats.md 1.10): every datagram with one
 * zero byte. The answer is never longer than the question, so the port is of no use
 * to those who forge sender addresses.
 */
export class UdpHeartbeat {
  readonly #socket: Socket;
  answered = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (datagram, sender) => {
      if (datagram.length === 0 || datagram.length > DATAGRAM_MAX_BYTES) return;
      this.answered++;
      socket.send(ANSWER, sender.port, sender.address, () => {
        // A lost answer is a lost heartbeat: the sender asks again within a second.
      });
    });
    socket.on('error', () => {
      // ICMP errors for answers whose sender is gone; nothing depends on them.
    });
  }

  /** @throws LB_LISTEN when the port is taken. */
  static async open(host: string, port: number): Promise<UdpHeartbeat> {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    try {
      socket.bind(port, host);
      await once(socket, 'listening');
    } catch (error) {
      socket.close();
      throw new LogboomError('LB_LISTEN', `no UDP heartbeat: ${messageOf(error)}`, {
        where: `udp://${host}:${port}`,
        hint: `See who holds the port with: ss -ulnp sport = :${port}`,
        cause: error,
      });
    }
    return new UdpHeartbeat(socket);
  }

  close(): void {
    this.#socket.close();
  }
}

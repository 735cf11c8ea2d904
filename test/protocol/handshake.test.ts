import { encode } from '@msgpack/msgpack';
import { describe, expect, it } from 'vitest';
import { type HandshakeMessage, HandshakeReader } from '../../src/protocol/handshake.ts';
import {
  type ClientSecrets,
  checkPong,
  encodePing,
  parseHelo,
} from '../../src/protocol/handshake-client.ts';
import { checkPing, encodeHelo } from '../../src/protocol/handshake-server.ts';
import { hex } from '../support/forward-messages.ts';

const NONCE = hex('000102030405060708090a0b0c0d0e0f');
const AUTH = hex('101112131415161718191a1b1c1d1e1f');
const CHALLENGE = { nonce: NONCE, auth: AUTH };
const SALT = Buffer.from('aabbccddeeff00112233445566778899');
const PING_DIGEST =
  '5fbd31afd4a5c1eddfe9a4bd63e0d9c5d1d9b56adfb28a8af003ef9b90b3726ac4d4383e34050b95da18ecf0c80516fc7058cbb8f3f10ad4e9783788bef51595';
const PASSWORD_DIGEST =
  '175443d1726b2836999b8b7b54c1fcf0a2ec1071f20fbec9f6e0a7594cf70f208e7ed315db82d7e4f45981d04990e9b9b46ea8f69444a5cf5e25601d72aa83e5';
const PONG_DIGEST =
  '5cc78ad13027ccbc8d60782bd5ff3fdda3ef600d2fe25c45d002a6a66c69b591b9f618426e747d47b08ed8b72fd5d4633c74574ab60d9f10c02898ae42746ffe';

const SERVER = {
  hostname: 'server.local',
  shared_key: 's3cret',
  users: new Map([['alice', 'pw']]),
};
const CLIENT: ClientSecrets = {
  hostname: 'client.local',
  shared_key: 's3cret',
  salt: SALT,
  username: 'alice',
  password: 'pw',
};
const HELO_FLUENTD = hex(
  `92a448454c4f83a56e6f6e6365c410${NONCE.toString('hex')}a461757468c410${AUTH.toString('hex')}a96b656570616c697665c3`,
);
const HELO_FLUENT_BIT = hex(
  `92a448454c4f82a56e6f6e6365b0${NONCE.toString('hex')}a461757468b0${AUTH.toString('hex')}`,
);

function messageOf(bytes: Buffer): HandshakeMessage {
  const whole = new HandshakeReader(8192).feed(bytes);
  if (whole === undefined) throw new Error('not a whole message');
  return whole.message;
}

const ping = (changes: Partial<ClientSecrets> = {}): HandshakeMessage =>
  messageOf(encodePing(CHALLENGE, { ...CLIENT, ...changes }));

describe('the bytes on the wire', () => {
  it('HELO is what fluentd sends', () => {
    expect(encodeHelo(CHALLENGE)).toEqual(HELO_FLUENTD);
  });

  it('PING carries the digests of the vectors in 319 bytes', () => {
    const bytes = encodePing(CHALLENGE, CLIENT);
    expect(bytes).toHaveLength(319);
    expect(bytes.toString('latin1')).toContain(PING_DIGEST);
    expect(bytes.toString('latin1')).toContain(PASSWORD_DIGEST);
    expect(bytes.toString('hex')).toMatch(/^96a450494e47ac636c69656e742e6c6f63616cd920/);
  });

  it('PONG carries the digest of the vectors in 151 bytes', () => {
    const verdict = checkPing(ping(), CHALLENGE, SERVER);
    expect(verdict).toMatchObject({ ok: true, username: 'alice', client_hostname: 'client.local' });
    expect(verdict.pong).toHaveLength(151);
    expect(verdict.pong.toString('latin1')).toContain(PONG_DIGEST);
    expect(verdict.pong.toString('hex')).toMatch(/^95a4504f4e47c3a0ac7365727665722e6c6f63616cd980/);
  });

  it('a refusal is what fluentd sends', () => {
    const verdict = checkPing(ping({ shared_key: 'other' }), CHALLENGE, SERVER);
    const text = '95a4504f4e47c2b37368617265645f6b6579206d69736d61746368a0a0';
    expect(verdict.pong.toString('hex')).toBe(text);
  });
});

describe('the client', () => {
  it.each([
    ['fluentd', HELO_FLUENTD],
    ['Fluent Bit', HELO_FLUENT_BIT],
  ])("takes the nonces of %s's HELO as bytes", (_peer, helo) => {
    const { nonce, auth } = parseHelo(messageOf(helo));
    expect(Buffer.from(nonce)).toEqual(NONCE);
    expect(Buffer.from(auth)).toEqual(AUTH);
  });

  it('sends no user when the server does not ask for one', () => {
    const message = messageOf(encodePing({ nonce: NONCE, auth: Buffer.alloc(0) }, CLIENT));
    expect(message.slice(4).map(String)).toEqual(['', '']);
  });

  it('accepts the PONG of a server that knows the key', () => {
    const { pong } = checkPing(ping(), CHALLENGE, SERVER);
    const verdict = checkPong(messageOf(pong), CHALLENGE, CLIENT);
    expect(verdict).toEqual({ ok: true, server_hostname: 'server.local' });
  });

  it('refuses one that does not, even if it agrees', () => {
    const rogue = ['PONG', true, '', 'server.local', PING_DIGEST];
    const verdict = checkPong(messageOf(Buffer.from(encode(rogue))), CHALLENGE, CLIENT);
    expect(verdict).toEqual({ ok: false, reason: 'shared_key mismatch' });
  });

  it('refuses a server that sends its own digest back under its hostname', () => {
    const mirror = ['PONG', true, '', 'client.local', PING_DIGEST];
    const verdict = checkPong(messageOf(Buffer.from(encode(mirror))), CHALLENGE, CLIENT);
    expect(verdict).toMatchObject({ ok: false, reason: expect.stringContaining('own hostname') });
  });

  it("passes on the server's reason", () => {
    const { pong } = checkPing(ping({ password: 'x' }), CHALLENGE, SERVER);
    const verdict = checkPong(messageOf(pong), CHALLENGE, CLIENT);
    expect(verdict).toEqual({ ok: false, reason: 'username/password mismatch' });
  });

  it.each([[['PONG', true]], [['PING', true, '', '', '']], [['PONG', true, '', 1, 2]]])(
    'calls %j an invalid pong message',
    (message) => {
      const verdict = checkPong(messageOf(Buffer.from(encode(message))), CHALLENGE, CLIENT);
      expect(verdict).toEqual({ ok: false, reason: 'invalid pong message' });
    },
  );

  it.each([[['HELO']], [['PONG', {}]], [['HELO', {}]], [['HELO', { nonce: 1 }]]])(
    'refuses %j as HELO',
    (message) => {
      const helo = messageOf(Buffer.from(encode(message)));
      expect(() => parseHelo(helo)).toThrow(expect.objectContaining({ code: 'LB_HANDSHAKE' }));
    },
  );
});

describe('the server', () => {
  it('hashes a salt of raw bytes as received, as Fluent Bit sends it', () => {
    const salt = hex('ff00fe80c1a0deadbeef000102030405');
    expect(checkPing(ping({ salt }), CHALLENGE, SERVER).ok).toBe(true);
  });

  it.each([
    [{ shared_key: 'wrong' }, 'shared_key mismatch'],
    [{ password: 'wrong' }, 'username/password mismatch'],
    [{ username: 'mallory' }, 'username/password mismatch'],
    [{ username: 'mallory', password: '' }, 'username/password mismatch'],
  ])('refuses %j', (changes, reason) => {
    const verdict = checkPing(ping(changes), CHALLENGE, SERVER);
    expect(verdict).toMatchObject({ ok: false, reason });
  });

  it('does not ask for a user when none are configured', () => {
    const server = { ...SERVER, users: undefined };
    expect(checkPing(ping({ username: 'x' }), CHALLENGE, server).ok).toBe(true);
  });

  it.each([
    [['PING']],
    [['HELO', 'h', 's', 'd', 'u', 'p']],
    [['PING', 'h', 's', 'd', 'u', 1]],
    [['app', 1441588984, { log: 'hi' }, {}]],
    [['PING', 'h', 's', 'd', 'u', 'p', 'extra']],
  ])('calls %j an invalid ping message', (message) => {
    const verdict = checkPing(messageOf(Buffer.from(encode(message))), CHALLENGE, SERVER);
    expect(verdict).toMatchObject({ ok: false, reason: 'invalid ping message' });
  });

  it('does not take a digest that is only a prefix', () => {
    const [kind, hostname, salt, , username, digest] = ping();
    const short = [kind, hostname, salt, Buffer.from(PING_DIGEST.slice(0, 64)), username, digest];
    expect(checkPing(short, CHALLENGE, SERVER).ok).toBe(false);
  });
});

describe('HandshakeReader', () => {
  it('gathers a message that is cut anywhere and leaves the rest', () => {
    const stream = Buffer.concat([HELO_FLUENTD, Buffer.from('rest')]);
    for (let cut = 1; cut < HELO_FLUENTD.length; cut += 1) {
      const reader = new HandshakeReader(8192);
      expect(reader.feed(stream.subarray(0, cut))).toBeUndefined();
      const whole = reader.feed(stream.subarray(cut));
      expect(whole?.rest.toString()).toBe('rest');
      expect(whole?.message).toHaveLength(2);
    }
  });

  it.each([
    ['more than the limit', 'db00100000', 'LB_PROTOCOL_LIMIT'],
    ['what is no array', 'a26869', 'LB_HANDSHAKE'],
    ['what is no MessagePack', 'c1', 'LB_PROTOCOL_SYNTAX'],
    ['a map that cannot be decoded', '9181a95f5f70726f746f5f5f01', 'LB_HANDSHAKE'],
  ])('refuses %s', (_name, bytes, code) => {
    expect(() => new HandshakeReader(8192).feed(hex(bytes))).toThrow(
      expect.objectContaining({ code }),
    );
  });
});

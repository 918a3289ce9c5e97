import { ByteReader } from '../model/values/bytes';
import { AmqpError } from '../model/values/errors';
import { readTable } from '../model/values/field-codec';
import { bool, type FieldTable, longstr, NO_FIELDS, table, textOf } from '../model/values/fields';
import type { VirtualHost } from '../model/vhost';
import type { Args, Method, MethodName } from './codec/methods';

/** The limits that connection.tune offers, which are RabbitMQ's. */
const OFFER = { channelMax: 2047, frameMax: 131072, heartbeat: 60 } as const;
const FRAME_MIN = 4096;

/** connection.start. Clients recognize RabbitMQ by `product` and its extensions by `capabilities`. */
const START: Args<'connection.start'> = {
  versionMajor: 0,
  versionMinor: 9,
  serverProperties: new Map([
    ['product', longstr('RabbitMQ')],
    ['version', longstr('3.10.0')],
    ['platform', longstr('embedded broker for development and tests')],
    [
      'capabilities',
      table({
        publisher_confirms: bool(true),
        exchange_exchange_bindings: bool(true),
        'basic.nack': bool(true),
        consumer_cancel_notify: bool(true),
        'connection.blocked': bool(true),
        authentication_failure_close: bool(true),
        per_consumer_qos: bool(true),
      }),
    ],
  ]),
  mechanisms: Buffer.from('PLAIN AMQPLAIN'),
  locales: Buffer.from('en_US'),
};

/** What the handshake needs from its connection. */
export interface HandshakeConnection {
  send<M extends MethodName>(channel: number, name: M, args: Args<M>): void;
  tuned(args: Args<'connection.tune-ok'>): void;
  opened(vhost: VirtualHost): void;
  /** The login failed; without an error the socket is closed without a `connection.close`. */
  refused(error?: AmqpError): void;
}

interface Login {
  readonly vhosts: ReadonlyMap<string, VirtualHost>;
  readonly username: string;
  readonly password: string;
}

/** Login and tuning: the methods from connection.start to connection.open-ok (AMQP 0-9-1, section 2.2.4). */
export class Handshake {
  #expected: MethodName = 'connection.start-ok';
  #clientProperties: FieldTable = NO_FIELDS;

  constructor(
    private readonly login: Login,
    private readonly connection: HandshakeConnection,
  ) {
    connection.send(0, 'connection.start', START);
  }

  /** Whether the client announced that it supports an extension. */
  hasCapability(name: string): boolean {
    const capabilities = this.#clientProperties.get('capabilities')?.value;
    return capabilities instanceof Map && capabilities.get(name)?.value === true;
  }

  handle({ name, args }: Method): void {
    if (name !== this.#expected)
      throw new AmqpError('CHANNEL_ERROR', `expected ${this.#expected}, got ${name}`);
    if (name === 'connection.start-ok') this.#authenticate(args);
    else if (name === 'connection.tune-ok') this.#tune(args);
    else if (name === 'connection.open') this.#open(args);
  }

  #authenticate({ clientProperties, mechanism, response }: Args<'connection.start-ok'>): void {
    this.#clientProperties = clientProperties;
    const { user, password } = readCredentials(mechanism, response);
    if (user === this.login.username && password === this.login.password) {
      this.#expected = 'connection.tune-ok';
      this.connection.send(0, 'connection.tune', OFFER);
      return;
    }
    const reason = `Login was refused using authentication mechanism ${mechanism}. For details see the broker logfile.`;
    const error = new AmqpError('ACCESS_REFUSED', reason);
    // Only clients that ask for it learn the reason (https://www.rabbitmq.com/docs/auth-notification).
    this.connection.refused(this.hasCapability('authentication_failure_close') ? error : undefined);
  }

  #tune(args: Args<'connection.tune-ok'>): void {
    checkTuning(args);
    this.#expected = 'connection.open';
    this.connection.tuned(args);
  }

  #open({ virtualHost }: Args<'connection.open'>): void {
    const vhost = this.login.vhosts.get(virtualHost);
    if (!vhost) throw new AmqpError('NOT_ALLOWED', `vhost ${virtualHost} not found`);
    this.connection.opened(vhost);
    this.connection.send(0, 'connection.open-ok', { reserved1: '' });
  }
}

/** The user name and password in a SASL response, for the two mechanisms of RabbitMQ's default set. */
function readCredentials(mechanism: string, response: Buffer): { user: string; password: string } {
  if (mechanism === 'PLAIN') {
    // RFC 4616: authorization identity, NUL, user, NUL, password.
    const [, user = '', password = ''] = response.toString('utf8').split('\0');
    return { user, password };
  }
  if (mechanism === 'AMQPLAIN') {
    // A field table without its length.
    const length = Buffer.alloc(4);
    length.writeUInt32BE(response.length);
    const fields = readTable(new ByteReader(Buffer.concat([length, response])));
    return { user: textOf(fields.get('LOGIN')) ?? '', password: textOf(fields.get('PASSWORD')) ?? '' };
  }
  throw new AmqpError('COMMAND_INVALID', `client asked for unknown authentication mechanism ${mechanism}`);
}

/** Checks the client's choice in connection.tune-ok: at most the offer (section 1.4.2.6). */
function checkTuning({ channelMax, frameMax }: Args<'connection.tune-ok'>): void {
  const check = (field: string, value: number, offered: number, min: number) => {
    if (value !== 0 && value < min) {
      throw new AmqpError(
        'NOT_ALLOWED',
        `negotiated ${field} = ${value} is lower than the minimum allowed value (${min})`,
      );
    }
    if (value === 0 || value > offered) {
      const shown = value === 0 ? '0 (no limit)' : value;
      throw new AmqpError(
        'NOT_ALLOWED',
        `negotiated ${field} = ${shown} is higher than the maximum allowed value (${offered})`,
      );
    }
  };
  check('frame_max', frameMax, OFFER.frameMax, FRAME_MIN);
  check('channel_max', channelMax, OFFER.channelMax, 1);
}

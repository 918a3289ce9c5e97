import { ByteReader } from './bytes';
import { AmqpError } from './errors';
import { bool, type FieldTable, longstr, readTable, table, textOf } from './fields';
import type { Args } from './methods';

/** What the broker offers in connection.tune; the numbers are RabbitMQ's. */
export const OFFER = { channelMax: 2047, frameMax: 131072, heartbeat: 60 } as const;
const FRAME_MIN = 4096;

/** connection.start. Clients tell RabbitMQ by `product` and its extensions by `capabilities`. */
export const START: Args<'connection.start'> = {
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

/** Whether the client understands an extension. */
export function hasCapability(clientProperties: FieldTable, name: string): boolean {
  const capabilities = clientProperties.get('capabilities')?.value;
  return capabilities instanceof Map && capabilities.get(name)?.value === true;
}

/** The user name and password in a SASL response, for the two mechanisms of RabbitMQ's default set. */
export function readCredentials(mechanism: string, response: Buffer): { user: string; password: string } {
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

/** Checks the client's answer to connection.tune: it may go below the offer, not above (section 1.4.2.6). */
export function checkTuning({ channelMax, frameMax }: Args<'connection.tune-ok'>): void {
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

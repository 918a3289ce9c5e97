/** Why the broker cannot be used. The message is stable, names the remedy and contains no password. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError';

  constructor(
    message: string,
    /** The original message of the broker or the socket. */
    readonly reason: string,
    /** The exchange to which a publish was denied, or which does not exist; both close the channel. */
    readonly refusedExchange: string | null = null,
  ) {
    super(message);
  }
}

const CERTIFICATE =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|CERT_|ERR_TLS_CERT_ALTNAME_INVALID)/;

/** Permissions of `rabbitmqctl set_permissions`, by AMQP class and method: https://www.rabbitmq.com/docs/access-control */
const PERMISSIONS: Record<string, string> = {
  '40.10': 'configure on the exchange',
  '50.10': 'configure on the queue (of a retry queue also read, and write on amq.default)',
  '50.20': 'write on the queue and read on the exchange',
  '60.20': 'read on the queue',
  '60.40': 'write on the exchange',
};

/** @param error from a socket, a handshake, a channel or a channel operation */
export function explainBrokerError(error: unknown): BrokerError {
  if (error instanceof BrokerError) return error;
  const fields: ErrorFields = typeof error === 'object' && error !== null ? error : {};
  const reason = String(fields.message ?? error).trim();
  return new BrokerError(explain(fields, reason), reason, refusedExchange(fields, reason));
}

/** RabbitMQ's message contains "exchange 'user_events' in vhost '/'"; it calls the default exchange amq.default. */
function refusedExchange({ code, classId, methodId }: ErrorFields, reason: string): string | null {
  const isPublish = classId === 60 && methodId === 40;
  if (!isPublish || (code !== 403 && code !== 404)) return null;
  return /exchange '(.*?)' in vhost/.exec(reason)?.[1] ?? null;
}

/** Properties of errors of Node.js and amqplib. */
interface ErrorFields {
  message?: unknown;
  code?: unknown;
  classId?: unknown;
  methodId?: unknown;
}

function explain({ code, classId, methodId }: ErrorFields, reason: string): string {
  if (typeof code === 'string') {
    if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
      return "The broker's host name cannot be resolved: check the host in RABBITMQ_URL (or RABBITMQ_HOST)";
    if (code === 'ECONNREFUSED')
      return "Nothing listens at the broker's address: start the broker, or check host and port in RABBITMQ_URL (or RABBITMQ_HOST and RABBITMQ_PORT)";
    if (code === 'EPROTO' || code.startsWith('ERR_SSL_'))
      return "The broker's port does not speak TLS: use its TLS port, usually 5671, or amqp:// in RABBITMQ_URL (RABBITMQ_TLS=false)";
    if (CERTIFICATE.test(code))
      return "The broker's certificate is not trusted: use the host name that it was issued for, and name its authority's certificate in NODE_EXTRA_CA_CERTS";
  }
  if (reason.includes('ETIMEDOUT'))
    return 'The broker does not answer: check host and port in RABBITMQ_URL, and firewalls and security groups';
  if (reason.includes('closed abruptly during opening handshake'))
    return 'The broker closed the connection at once: for a TLS port, usually 5671, RABBITMQ_URL must start with amqps:// (RABBITMQ_TLS=true); otherwise see the log of the broker';
  if (reason.startsWith('Handshake terminated by server: 403'))
    return 'The broker rejects the user name or the password: correct RABBITMQ_URL (or RABBITMQ_USER and RABBITMQ_PASS), or change them on the broker: rabbitmqctl add_user, rabbitmqctl change_password';
  // amqplib hides the text of this connection.close: NOT_ALLOWED, for a missing virtual host, no access or a limit.
  if (reason.startsWith('Expected ConnectionOpenOk'))
    return 'The broker rejects the virtual host: it does not exist (correct the path of RABBITMQ_URL or RABBITMQ_VHOST, or rabbitmqctl add_vhost), its permissions do not include this user (rabbitmqctl set_permissions), or a limit of connections is reached (rabbitmqctl set_vhost_limits, set_user_limits); the log of the broker says which';
  if (reason.includes('queue limit'))
    return 'The virtual host has reached its limit of queues: raise it with rabbitmqctl set_vhost_limits -p <vhost> \'{"max-queues": <number>}\'';
  if (code === 404 && classId === 60 && methodId === 40)
    return 'An exchange for publishing does not exist: relay and poller declare it at their next start, or name another one with EVENT_EXCHANGE or EVENT_MIRRORS';
  if (code === 403)
    return `The broker denies the permission ${PERMISSIONS[`${classId}.${methodId}`] ?? 'for this operation'}: grant it with rabbitmqctl set_permissions -p <vhost> <user> <configure> <write> <read>`;
  return `The broker cannot be used: ${reason}`;
}

/** A resource alarm: the broker accepts no messages from publishers until it is cleared. */
export function explainAlarm(reason: string): BrokerError {
  return new BrokerError(
    'The broker accepts no messages because of a resource alarm: free disk space or memory on its host (rabbitmq-diagnostics alarms), or change disk_free_limit or vm_memory_high_watermark',
    reason,
  );
}

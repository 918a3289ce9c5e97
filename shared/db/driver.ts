import type { DatabaseConnection, Driver, TransactionSettings } from 'kysely';
import { type ConnectionLimits, PooledConnection } from './pooled-connection';
import type { StatementNames } from './statement-names';
import type { TrustedPool } from './trusted-pool';

/** A kysely driver for PostgreSQL that checks connections before it relies on them. */
export class PooledDriver implements Driver {
  constructor(
    private readonly pool: TrustedPool,
    private readonly limits: ConnectionLimits,
    private readonly names: StatementNames | null,
  ) {}

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return PooledConnection.open(this.pool, this.limits, this.names);
  }

  async beginTransaction(connection: PooledConnection, settings: TransactionSettings): Promise<void> {
    await connection.begin(settings);
  }

  async commitTransaction(connection: PooledConnection): Promise<void> {
    await connection.commit();
  }

  async rollbackTransaction(connection: PooledConnection): Promise<void> {
    await connection.rollback();
  }

  async releaseConnection(connection: PooledConnection): Promise<void> {
    connection.release();
  }

  async destroy(): Promise<void> {
    await this.pool.end();
  }
}

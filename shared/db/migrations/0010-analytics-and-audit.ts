import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<never>): Promise<void> {
  // The rows of the present hour are updated all the time: with room on their page, no update touches the index.
  await sql`
    create table analytics_hourly (
      hour timestamptz not null,
      metric text not null,
      count bigint not null,
      primary key (hour, metric)
    ) with (fillfactor = 50)`.execute(db);
}

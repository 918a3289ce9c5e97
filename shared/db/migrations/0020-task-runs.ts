import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<never>): Promise<void> {
  // What relay and poller last noted of themselves, for whoever asks how the service is.
  await sql`
    create table task_runs (
      task text primary key,
      started_at timestamptz not null,
      problem text,
      problem_at timestamptz
    )`.execute(db);
}
